# syntax=docker/dockerfile:1
# One image for the service and for every `cbp` command; docs/deployment.md says how it is run.

FROM node:24-bookworm-slim AS build
ENV CI=true
WORKDIR /build
COPY . .
# pnpm's version and every dependency are those of the checkout: package.json and the frozen lock file.
RUN --mount=type=cache,target=/root/.npm --mount=type=cache,target=/pnpm-store \
    npx -y "pnpm@$(node -p 'require("./package.json").config.pnpm')" install --frozen-lockfile --store-dir /pnpm-store \
      --filter cbp-config-api --filter '@cbp/cli...'
RUN node_modules/.bin/tsc --build packages/*/tsconfig.build.json packages/core/tsconfig.testing.json
# Production dependencies alone, at the locked versions; what only a debugger or a compiler reads is left out.
RUN --mount=type=cache,target=/root/.npm --mount=type=cache,target=/pnpm-store \
    npx -y "pnpm@$(node -p 'require("./package.json").config.pnpm')" --filter @cbp/cli deploy --prod --store-dir /pnpm-store /app \
    && find /app -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.tsbuildinfo' \) -delete \
    && chmod 0755 /app/dist/main.js

FROM node:24-bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="CBP Config API" \
      org.opencontainers.image.description="Versioned configuration, payments and their events" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The program belongs to root and is read-only for the user it runs as. The data directory is the only place that has to be
# writable; only the embedded engines and generated development keys lie there.
COPY --from=build /app /app
RUN ln -s /app/dist/main.js /usr/local/bin/cbp \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/cbp

# Production unless told otherwise: without its settings the image refuses to start and lists what is missing.
ENV NODE_ENV=production \
    CBP_ENV=production \
    CBP_HOST=0.0.0.0 \
    CBP_PORT=8080 \
    CBP_DATA_DIR=/var/lib/cbp

WORKDIR /app
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "const { CBP_TLS_CERT: cert, CBP_PORT: port } = process.env; if (cert) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch(`${cert ? 'https' : 'http'}://127.0.0.1:${port}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

# Node itself is the first process and gets SIGTERM; it starts no processes of its own, so there is nothing to reap.
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
