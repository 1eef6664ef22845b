"""Calls GetSessionEmbedUrl for each input of a JSON array, its first argument, and prints the
results as JSON: EmbedUrl, or ErrorCode and Class. Endpoint, region and credentials come from the
environment. boto3 before 1.28 does not read the endpoint by itself."""
import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

client = boto3.client(
    "quicksight",
    endpoint_url=os.environ["AWS_ENDPOINT_URL_QUICKSIGHT"],
    region_name=os.environ["AWS_REGION"],
    config=Config(retries={"total_max_attempts": 1}),
)
answers = []
for given in json.loads(sys.argv[1]):
    try:
        answers.append({"EmbedUrl": client.get_session_embed_url(**given)["EmbedUrl"]})
    except ClientError as error:
        code = error.response["Error"]["Code"]
        modelled = type(error) is not ClientError
        answers.append({"ErrorCode": code, "Class": type(error).__name__ if modelled else code})
print(json.dumps(answers))
