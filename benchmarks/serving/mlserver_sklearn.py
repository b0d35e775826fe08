"""Write a folder that MLServer serves: ``mlserver_sklearn.py FOLDER LOANS.csv``; the numbers alone."""

import csv
import json
import sys
from pathlib import Path

import joblib
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
rows = [*csv.DictReader(Path(sys.argv[2]).read_text("utf-8").splitlines())]
x = [[float(row[name]) for name in ("amount", "income", "years_in_job")] for row in rows]
model = make_pipeline(StandardScaler(), MLPClassifier(16, max_iter=200, random_state=0))
model.fit(x, [row["paid_back"] == "yes" for row in rows])
joblib.dump(model, folder / "model.joblib")
settings = {"name": "loans", "implementation": "mlserver_sklearn.SKLearnModel"}
settings["parameters"] = {"uri": "./model.joblib", "version": "1"}
(folder / "model-settings.json").write_text(json.dumps(settings))
