# One image for every role: serve, follow, migrate, backup of a share, verify.
# BASE may be given with a digest: --build-arg BASE=python:3.13-slim@sha256:...
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
WORKDIR /src
COPY requirements.run.lock requirements.build.lock ./
RUN python -m venv /opt/fanlight \
 && /opt/fanlight/bin/pip install --no-cache-dir --require-hashes -r requirements.run.lock -r requirements.build.lock
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY projections projections
COPY web web
RUN /opt/fanlight/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/fanlight/bin/pip uninstall --yes --quiet setuptools pip

# The converter of plans: --target converter. It has Java, and nothing of it is in the image below.
FROM build AS converting
COPY requirements.convert.lock ./
RUN python -m venv /opt/converter \
 && /opt/converter/bin/pip install --no-cache-dir --require-hashes -r requirements.convert.lock -r requirements.build.lock \
 && /opt/converter/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/converter/bin/pip uninstall --yes --quiet setuptools pip

FROM ${BASE} AS converter
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends default-jre-headless \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10001 fanlight \
 && useradd --system --uid 10001 --gid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin fanlight \
 && install --directory --owner=fanlight --group=fanlight --mode=0700 /converter
COPY --from=converting /opt/converter /opt/converter
USER fanlight
ENV PATH=/opt/converter/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["fanlight"]
CMD ["converter", "--socket", "/converter/converter.sock"]

FROM ${BASE}
ARG VERSION=""
LABEL org.opencontainers.image.title="Fanlight" \
      org.opencontainers.image.description="Share live project status with your clients, and prove afterwards what was shown" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
RUN groupadd --system --gid 10001 fanlight \
 && useradd --system --uid 10001 --gid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin fanlight \
 && install --directory --owner=fanlight --group=fanlight --mode=0700 /data /spool /converter
COPY --from=build /opt/fanlight /opt/fanlight
USER fanlight
ENV PATH=/opt/fanlight/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 FANLIGHT_DATA=/data FANLIGHT_HOST=0.0.0.0 \
    TMPDIR=/spool
EXPOSE 8000
VOLUME /data /spool
ENTRYPOINT ["fanlight"]
CMD ["serve"]
