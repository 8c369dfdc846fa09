# syntax=docker/dockerfile:1

# ---- GraphiQL's page ------------------------------------------------------------------------------------
FROM node:22-slim AS page

WORKDIR /page
COPY clients/graphiql/ ./
RUN npm ci --no-audit --no-fund --ignore-scripts && npm run build

# ---- build ---------------------------------------------------------------------------------------------
FROM rust:1.95-slim-bookworm AS build

ARG TARGETARCH

WORKDIR /src
COPY . .
COPY --from=page /page/dist clients/graphiql/dist

# The caches hold what crates.io sent and every compiled dependency, so that a change of our own code compiles
# only our own code. They live in the builder, not in the image: hence the copy of the binary at the end.
#
# cargo goes by modification times. A source older than the cached build (another clone, an older branch) would
# pass for unchanged, so ours are touched: they are always compiled, the dependencies are not.
RUN --mount=type=cache,id=dualcaster-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=dualcaster-target-${TARGETARCH},target=/src/target,sharing=locked \
    find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --package dualcaster --bin dualcaster \
    && cp target/release/dualcaster /usr/local/bin/dualcaster

# ---- run -----------------------------------------------------------------------------------------------
FROM debian:bookworm-slim

ARG VERSION=unknown
ARG REVISION=unknown

LABEL org.opencontainers.image.title="Dualcaster" \
      org.opencontainers.image.description="A GraphQL server for the trading-card market" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.vendor="The Dualcaster developers" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Certificates of the authorities for https to price sources, storage and mail. Their version is left to Debian's
# security updates on purpose: a pinned one disappears from the archive.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 dualcaster \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin dualcaster \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data

COPY --from=build /usr/local/bin/dualcaster /usr/local/bin/dualcaster
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/dualcaster/

# DUALCASTER_ENV is not set: without it the server runs in development, with demo data, and needs nothing else.
# A deployment sets DUALCASTER_ENV=production, and the server then says which settings it lacks.
ENV DUALCASTER_LISTEN=0.0.0.0:8080 \
    DUALCASTER_DATA_DIR=/data

# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["dualcaster", "health"]

# It finishes what runs before it stops (up to 25 s): give it more than that, e.g. `docker run --stop-timeout 30`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["dualcaster"]
CMD ["serve"]
