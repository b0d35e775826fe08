"""Starlette alone: reads the rows, and answers always the same."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ROW = {"row": 0, "class": "yes", "probability": 0.75, "classes": ["no", "yes"], "probabilities": [0.25, 0.75]}


async def predict(request: Request) -> JSONResponse:
    """Answer a request."""
    rows = await request.json()
    return JSONResponse({"model": "loans", "version": "1", "predictions": [ROW for _ in rows], "warnings": []})


uvicorn.run(
    Starlette(routes=[Route("/predict", predict, methods=["POST"])]), port=int(sys.argv[1]), log_level="critical"
)
