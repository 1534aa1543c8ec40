# Prometheus and Alertmanager as Debian builds them; which of the two runs is the command's first word.
# SOURCE: public (fetched in here), or prepared (in the context, without a network).
ARG BASE=python:3.11.7-slim-bookworm
ARG SOURCE=public

FROM ${BASE} AS public
RUN apt-get update -q && cd /tmp && apt-get download -q prometheus prometheus-alertmanager \
    && for each in *.deb; do dpkg -x "$each" /debian; done

FROM scratch AS prepared
COPY prepared/debian /debian

FROM ${SOURCE} AS built

FROM ${BASE}
COPY --from=built /debian/usr/bin/prometheus /debian/usr/bin/prometheus-alertmanager /debian/usr/bin/promtool /usr/local/bin/
COPY --from=built /debian/usr/share/prometheus/alertmanager /usr/share/prometheus/alertmanager
# A tmpfs takes the mode of what it is mounted on, from the second start on whatever its options say.
RUN mkdir -m 1777 /data
USER 65532:65532
CMD ["prometheus"]
