# The program and the Python package on ONNX Runtime for the CPU. Weights are installed once, into a volume:
#   docker build --tag gan-metrics .
#   docker run --volume gan-metrics:/home/user/.cache --volume "$PWD:/data" gan-metrics model install inception-v3
#   docker run --volume gan-metrics:/home/user/.cache --volume "$PWD:/data" gan-metrics fid real/ fake/
FROM rust:1.92-slim AS build
RUN apt-get update --quiet=2 \
    && apt-get install --quiet=2 --yes --no-install-recommends g++ make nasm python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY . /source
RUN python3 -m venv /venv \
    && /venv/bin/pip install --quiet "maturin>=1.10,<2" \
    && cd /source \
    && /venv/bin/maturin build --release --locked --out /wheels

FROM python:3.12-slim
COPY --from=build /wheels /wheels
RUN pip install --quiet --no-cache-dir "$(ls /wheels/*.whl)[onnx]" \
    && rm -r /wheels \
    && useradd --create-home user \
    && install --directory --owner user /home/user/.cache
USER user
WORKDIR /data
ENTRYPOINT ["gan-metrics"]
