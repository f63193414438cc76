# Your own mirrors, and digests instead of tags, go into these two: docker build --build-arg BUILD_IMAGE=… --build-arg RUNTIME_IMAGE=…
ARG BUILD_IMAGE=node:24-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json tsconfig.json tsconfig.build.json LICENSE ./
COPY scripts/image-tree.mjs scripts/
COPY proto proto
COPY src src
RUN node scripts/image-tree.mjs /tree

# No shell, no package manager. Nothing here needs to be written to: evidence goes to the volume at /var/lib/waywarden.
FROM ${RUNTIME_IMAGE}
COPY --from=build /tree /
USER 65532:65532
ENV NODE_ENV=production
EXPOSE 9191 9192
ENTRYPOINT ["/nodejs/bin/node", "--enable-source-maps", "/app/dist/main.js"]
CMD ["serve", "--config", "/etc/waywarden/config/waywarden.yaml"]
