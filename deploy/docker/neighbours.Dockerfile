# The other programs of compose.yaml, each from Debian's packages, so that one base image is all that is pulled.
# User numbers are fixed: volumes and tmpfs of compose.yaml name them.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS apache
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends apache2 \
    && rm -rf /var/lib/apt/lists/*
USER 33:33
EXPOSE 8080

FROM ${BASE} AS redis
# hadolint ignore=DL3008
RUN groupadd --gid 10002 redis \
    && useradd --uid 10002 --gid redis --no-create-home --shell /usr/sbin/nologin redis \
    && apt-get update \
    && apt-get install -y --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir /data && chown redis:redis /data
USER 10002:10002
EXPOSE 6379

FROM ${BASE} AS mysql
# hadolint ignore=DL3008
RUN groupadd --gid 10003 mysql \
    && useradd --uid 10003 --gid mysql --no-create-home --shell /usr/sbin/nologin mysql \
    && apt-get update \
    && apt-get install -y --no-install-recommends mariadb-server \
    && rm -rf /var/lib/apt/lists/* /var/lib/mysql \
    && mkdir /var/lib/mysql && chown mysql:mysql /var/lib/mysql
USER 10003:10003
EXPOSE 3306
