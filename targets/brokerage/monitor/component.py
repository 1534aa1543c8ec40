"""What the monitor declares about itself: one process of ours, or two containers, Prometheus and its Alertmanager."""

from pathlib import Path

from targets.brokerage.declaration import Component, Container, Served

MONITOR = Component(
    name="monitor",
    start=Served("targets.brokerage.monitor.service"),
    needs=("pager",),
    ports=("monitor",),
    http="monitor",
    scrapes=True,
    direct=("pager",),
    rules=Path(__file__).with_name("rules.yml"),
    container=Container(
        image="prometheus",
        command=(
            "prometheus",
            "--config.file=/stack/monitor/prometheus.yml",
            "--web.listen-address=0.0.0.0:${PORT_MONITOR}",
            "--storage.tsdb.path=/data",
            "--storage.tsdb.retention.time=1h",
        ),
        ready="/-/ready",
        compose={"tmpfs": ["/tmp", "/data:mode=1777"]},  # noqa: S108  # in there
    ),
)

ALERTMANAGER = Component(
    name="alertmanager",
    start=None,
    ports=("alertmanager",),
    http="alertmanager",
    service=False,
    container=Container(
        image="prometheus",
        command=(
            "prometheus-alertmanager",
            "--config.file=/stack/monitor/alertmanager.yml",
            "--web.listen-address=0.0.0.0:${PORT_ALERTMANAGER}",
            "--storage.path=/data",
            "--cluster.listen-address=",
        ),
        ready="/-/ready",
        compose={"tmpfs": ["/tmp", "/data:mode=1777"]},  # noqa: S108  # in there
    ),
)
