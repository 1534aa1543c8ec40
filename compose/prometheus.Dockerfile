# Prometheus and Alertmanager as Debian builds them; which of the two runs is the command's first word.
ARG BASE
FROM ${BASE}
COPY debian/usr/bin/prometheus debian/usr/bin/prometheus-alertmanager debian/usr/bin/promtool /usr/local/bin/
COPY debian/usr/share/prometheus/alertmanager /usr/share/prometheus/alertmanager
# A tmpfs takes the mode of what it is mounted on, from the second start on whatever its options say.
RUN mkdir -m 1777 /data
USER 65532:65532
CMD ["prometheus"]
