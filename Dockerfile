# The whole product in one static binary on nothing else. As it is, a container runs everything in one process:
#
#     docker build -t turno . && docker run -p 8080:8080 -v turno:/data turno
#
# docker-compose.yml runs its parts apart, on a cluster. A test builds what this file builds, and compares its versions with go.mod.

FROM golang:1.26.0-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.release=${VERSION}" -o /out/turno ./cmd/turno
RUN mkdir -m 0700 /out/data

FROM scratch
# Authorities, for what is outside: a NATS or a PostgreSQL behind TLS, webhooks. Time zones are in the binary.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/turno /turno
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
# Inside a container "every address" is the container's own; what of it is reached from outside is the composer's to say.
ENV TURNO_DATA=/data TURNO_HTTP=:8080 TURNO_STATUS=:9090 TURNO_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/turno", "health", "http://127.0.0.1:9090/healthz"]
ENTRYPOINT ["/turno"]
CMD ["serve"]
