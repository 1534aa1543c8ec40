# The brokerage's services and its operator's tool, one image for all of them.
# SOURCE: public (from the package index), or prepared (from wheels in the context, without a network).
ARG BASE=python:3.11.7-slim-bookworm
ARG SOURCE=public

FROM ${BASE} AS base
COPY compose/brokerage.txt /requirements.txt

FROM base AS public
RUN python3 -m pip install --no-cache-dir --target /lib-kunren -r /requirements.txt

FROM base AS prepared
COPY prepared/wheels /wheels
RUN python3 -m pip install --no-cache-dir --no-index --find-links /wheels --target /lib-kunren -r /requirements.txt

FROM ${SOURCE} AS built
COPY targets /code/targets
RUN PYTHONPATH=/lib-kunren:/code python3 -m compileall -q /lib-kunren /code

FROM ${BASE}
COPY --from=built /lib-kunren /opt/kunren/lib
COPY --from=built /code /opt/kunren/code
ENV PYTHONPATH=/opt/kunren/lib:/opt/kunren/code PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 KUNREN_STACK=/stack
WORKDIR /opt/kunren/code
USER 65532:65532
ENTRYPOINT ["python3", "-m", "targets.brokerage.service"]
