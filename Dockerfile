# The demo service and nothing else; cmd/hello-image makes the same image where there is no Docker. BINARY is linked
# statically: `make image` builds it.
FROM scratch
ARG BINARY=bin/linux-amd64/hello-service
COPY ${BINARY} /hello-service
USER 65532:65532
EXPOSE 3000
ENTRYPOINT ["/hello-service"]
