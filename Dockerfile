# LLM Dyno in a container, made for a Docker Space with a GPU; it runs without one, too. How to use
# it and what of it was tried: docs/DEPLOY.md.
#
# Plain Python and not a CUDA image: torch's wheels bring the CUDA libraries they were built for and
# the driver comes from the host, so a CUDA base would only add gigabytes and a second CUDA version
# to keep in step. Python and Debian are those that the requirements were tried with.
FROM python:3.11-slim-bookworm

# torch.compile needs a C++ compiler, and so does the part of gptqmodel that comes only as source.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app

# Before the rest, so that a change of the code does not install everything again.
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt

COPY --chown=1000:1000 . .

USER 1000
ENV HOME=/home/user \
    DYNO_PUBLIC=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD python -c "from urllib.request import urlopen; \
        urlopen('http://127.0.0.1:$STREAMLIT_SERVER_PORT/_stcore/health')"

# Through sh, because uploads to the Hub do not keep the executable bit.
ENTRYPOINT ["sh", "docker-entry.sh"]
CMD ["streamlit", "run", "streamlit_app.py"]
