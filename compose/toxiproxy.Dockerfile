# The real Toxiproxy, static: nothing but the server.
FROM scratch
ARG TOXIPROXY
LABEL org.opencontainers.image.version=${TOXIPROXY}
COPY toxiproxy-server /toxiproxy-server
USER 65532:65532
ENTRYPOINT ["/toxiproxy-server", "-host", "0.0.0.0"]
