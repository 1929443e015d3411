# One image for every role: serve, follow, migrate, backup of a share, verify.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.run.lock ./
RUN python -m venv /opt/fanlight \
 && /opt/fanlight/bin/pip install --no-cache-dir --require-hashes -r requirements.run.lock
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY projections projections
COPY web web
RUN /opt/fanlight/bin/pip install --no-cache-dir "setuptools>=77" \
 && /opt/fanlight/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/fanlight/bin/pip uninstall --yes --quiet setuptools pip

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin fanlight \
 && install --directory --owner=fanlight --group=fanlight --mode=0700 /data
COPY --from=build /opt/fanlight /opt/fanlight
USER fanlight
ENV PATH=/opt/fanlight/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 FANLIGHT_DATA=/data FANLIGHT_HOST=0.0.0.0
EXPOSE 8000
VOLUME /data
ENTRYPOINT ["fanlight"]
CMD ["serve"]
