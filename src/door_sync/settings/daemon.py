"""The keys of the table [daemon]."""

from pydantic import ValidationInfo, field_validator

from door_sync.settings.addresses import is_loopback, listen_address
from door_sync.settings.fields import ListenAddress, Section, key, wrong


class Daemon(Section):
    """What the service (`run` without --once) offers beside its cycles. TRIGGER_SECRET and
    DEAD_MAN_URL go into the env file."""

    listen: ListenAddress | None = key(
        "Address and port for the trigger (POST /hooks/sync, with TRIGGER_SECRET) and for metrics. "
        "Keep to this machine itself, and let a web server with TLS pass the trigger on. Without "
        "it nothing listens.",
        default=None,
        example="127.0.0.1:9147",
        commented=True,
    )
    metrics: bool = key(
        "Whether GET /metrics answers there, with figures for Prometheus. On this machine itself "
        "alone.",
        default=False,
        validate_default=True,
        commented=True,
    )

    @field_validator("metrics")
    @classmethod
    def _has_a_place(cls, metrics: bool, info: ValidationInfo) -> bool:
        listen = info.data.get("listen")
        if metrics and "listen" in info.data and listen is None:
            raise wrong(
                "has no use without daemon.listen", 'Add listen = "127.0.0.1:9147" to [daemon].'
            )
        if metrics and listen is not None and not is_loopback(listen_address(listen).host):
            raise wrong(
                "must be false while daemon.listen is open to other machines: everybody could read "
                "the figures",
                "Use ops.metrics_textfile, or listen on 127.0.0.1.",
            )
        return metrics
