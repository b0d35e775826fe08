"""The text for Prometheus."""

from __future__ import annotations

from mlpkit.verbs.serve.metrics import Metrics

EXPECTED = """\
# HELP mlpkit_waiting_requests Requests that wait to be computed.
# TYPE mlpkit_waiting_requests gauge
mlpkit_waiting_requests 7
# HELP mlpkit_requests_total Answers, by path and status.
# TYPE mlpkit_requests_total counter
mlpkit_requests_total{path="predict",status="200"} 3
mlpkit_requests_total{path="infer",status="422"} 1
# HELP mlpkit_rows_total Rows predicted, by model.
# TYPE mlpkit_rows_total counter
mlpkit_rows_total{model="a \\"b\\" \\\\n \\n",version="2"} 12
# HELP mlpkit_reloads_total Changed files, by whether they could be loaded.
# TYPE mlpkit_reloads_total counter
mlpkit_reloads_total{model="loans",result="done"} 2
# HELP mlpkit_request_seconds Times from the request's head to the end of the answer.
# TYPE mlpkit_request_seconds histogram
mlpkit_request_seconds_bucket{le="0.001"} 1
mlpkit_request_seconds_bucket{le="0.0025"} 2
mlpkit_request_seconds_bucket{le="0.005"} 2
mlpkit_request_seconds_bucket{le="0.01"} 2
mlpkit_request_seconds_bucket{le="0.025"} 2
mlpkit_request_seconds_bucket{le="0.05"} 2
mlpkit_request_seconds_bucket{le="0.1"} 2
mlpkit_request_seconds_bucket{le="0.25"} 2
mlpkit_request_seconds_bucket{le="0.5"} 3
mlpkit_request_seconds_bucket{le="1.0"} 3
mlpkit_request_seconds_bucket{le="2.5"} 3
mlpkit_request_seconds_bucket{le="5.0"} 3
mlpkit_request_seconds_bucket{le="10.0"} 4
mlpkit_request_seconds_bucket{le="+Inf"} 5
mlpkit_request_seconds_sum 22.0
mlpkit_request_seconds_count 5
# HELP mlpkit_batch_requests Requests computed together.
# TYPE mlpkit_batch_requests histogram
mlpkit_batch_requests_bucket{le="1"} 1
mlpkit_batch_requests_bucket{le="2"} 1
mlpkit_batch_requests_bucket{le="4"} 2
mlpkit_batch_requests_bucket{le="8"} 2
mlpkit_batch_requests_bucket{le="16"} 2
mlpkit_batch_requests_bucket{le="32"} 2
mlpkit_batch_requests_bucket{le="64"} 2
mlpkit_batch_requests_bucket{le="128"} 2
mlpkit_batch_requests_bucket{le="256"} 3
mlpkit_batch_requests_bucket{le="+Inf"} 4
mlpkit_batch_requests_sum 517.0
mlpkit_batch_requests_count 4
"""


def test_counts_and_times_are_written_for_prometheus():
    metrics = Metrics()
    metrics.answers["predict", 200] += 3
    metrics.answers["infer", 422] += 1
    metrics.rows['a "b" \\n \n', "2"] += 12
    metrics.reloads["loans", "done"] += 2
    for seconds in (0.001, 0.0015, 0.4975, 9.5, 12):
        metrics.seconds.add(seconds)
    for requests in (1, 3, 256, 257):
        metrics.batches.add(requests)
    assert metrics.text(7) == EXPECTED
