# The brokerage's services and its operator's tool, one image for all of them.
ARG BASE
FROM ${BASE} AS build
COPY wheels /wheels
RUN python3 -m pip install --no-index --find-links /wheels --target /lib-kunren \
    msgspec psutil "psycopg[binary,pool]" starlette uvicorn uvloop httptools prometheus-client pyyaml
COPY code /code
RUN PYTHONPATH=/lib-kunren:/code python3 -m compileall -q /lib-kunren /code

FROM ${BASE}
COPY --from=build /lib-kunren /opt/kunren/lib
COPY --from=build /code /opt/kunren/code
ENV PYTHONPATH=/opt/kunren/lib:/opt/kunren/code PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 KUNREN_STACK=/stack
WORKDIR /opt/kunren/code
USER 65532:65532
ENTRYPOINT ["python3", "-m", "targets.brokerage.service"]
