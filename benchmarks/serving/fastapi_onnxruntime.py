"""FastAPI and onnxruntime, as people write it: ``fastapi_onnxruntime.py PORT MODEL.onnx``."""

import sys
from typing import Any

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[2], options)


class Row(BaseModel):
    """A row of loans."""

    amount: float
    income: float
    years_in_job: float
    purpose: str


@app.post("/predict")
def predict(rows: list[Row]) -> Any:
    """Answer a request."""
    columns = {each.name: [getattr(row, each.name) for row in rows] for each in session.get_inputs()}
    arrays = {name: np.array(v, object if isinstance(v[0], str) else float) for name, v in columns.items()}
    outputs = session.run(None, arrays)
    names = [each.name for each in session.get_outputs()]
    return {name: output.tolist() for name, output in zip(names, outputs, strict=True)}


uvicorn.run(app, port=int(sys.argv[1]), log_level="critical")
