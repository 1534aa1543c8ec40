# The real Toxiproxy, static: nothing but the server.
# SOURCE: public (built in here), or prepared (built outside, in the context).
ARG SOURCE=public

FROM golang:1.23-bookworm AS public
ARG TOXIPROXY
RUN CGO_ENABLED=0 GOBIN=/built go install \
    -ldflags "-s -w -X github.com/Shopify/toxiproxy/v2.Version=${TOXIPROXY}" \
    github.com/Shopify/toxiproxy/v2/cmd/server@v${TOXIPROXY} && mv /built/server /toxiproxy-server

FROM scratch AS prepared
ARG TOXIPROXY
COPY prepared/toxiproxy/${TOXIPROXY}/server /toxiproxy-server

FROM ${SOURCE} AS built

FROM scratch
ARG TOXIPROXY
LABEL org.opencontainers.image.version=${TOXIPROXY}
COPY --from=built /toxiproxy-server /toxiproxy-server
USER 65532:65532
ENTRYPOINT ["/toxiproxy-server", "-host", "0.0.0.0"]
