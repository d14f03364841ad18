# The service as an image: packages checked by hash, no build tool left, no shell before it, not root.
ARG PYTHON=3.13.5-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/build.lock requirements/runtime.lock requirements/
# Two environments: what builds us does not travel with us.
RUN python -m venv /build \
 && /build/bin/pip install --require-hashes --requirement requirements/build.lock \
 && python -m venv --without-pip /opt/jiraiya \
 && /build/bin/uv pip install --python /opt/jiraiya/bin/python --no-cache --compile-bytecode \
      --require-hashes --requirement requirements/runtime.lock
COPY LICENSE README.md pyproject.toml ./
COPY jiraiya_events jiraiya_events
RUN /build/bin/python -m hatchling build --target wheel --directory /dist \
 && /build/bin/uv pip install --python /opt/jiraiya/bin/python --no-cache --compile-bytecode \
      --no-deps --no-index /dist/*.whl \
 && install --directory --owner 10001 --group 10001 /var/lib/jiraiya

FROM python:${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Jiraiya Events" \
      org.opencontainers.image.description="Story requests on Kafka become exactly one story." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/jiraiya /opt/jiraiya
# A new named volume takes over this owner; a read-only root file system needs nothing else.
COPY --from=build --chown=10001:10001 /var/lib/jiraiya /var/lib/jiraiya
# Inside a container every address is the container's own; who may connect is decided outside.
ENV PATH=/opt/jiraiya/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    JIRAIYA_DATA_DIR=/var/lib/jiraiya \
    JIRAIYA_HTTP__HOST=0.0.0.0
WORKDIR /var/lib/jiraiya
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["jiraiya", "health"]
ENTRYPOINT ["jiraiya"]
CMD ["serve"]
