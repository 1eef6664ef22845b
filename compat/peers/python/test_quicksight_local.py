"""Tests of code that asks QuickSight for embed URLs, with quicksight-local instead of AWS.

    go install example.com/quicksightembed/cmd/quicksight-local@latest
    python3 -m unittest test_quicksight_local.py
"""
import json
import subprocess
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

JANE = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane"
BOB = "arn:aws:quicksight:us-east-1:111122223333:user/default/bob"


class EmbedURLs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = ["quicksight-local", "-json", "-addr", "127.0.0.1:0"]
        cls.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        start = json.loads(cls.server.stdout.readline())
        cls.control_url = start["controlUrl"]
        cls.quicksight = boto3.client(
            "quicksight",
            endpoint_url=start["url"],  # boto3 before 1.28 reads no variable for it
            region_name=start["region"],
            aws_access_key_id=start["accessKeyId"],
            aws_secret_access_key=start["secretAccessKey"],
            config=Config(retries={"mode": "standard", "total_max_attempts": 2}),
        )

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait()
        cls.server.stdout.close()

    def setUp(self):
        self.control("POST", "reset")

    def control(self, method, path, **body):
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.control_url + path, data, method=method)
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def embed_url(self, user):
        return self.quicksight.get_session_embed_url(AwsAccountId="111122223333", UserArn=user)["EmbedUrl"]

    def test_a_retry_overcomes_a_failure(self):
        self.control("POST", "faults", fault="Status", status=503)
        self.assertIn("/embedding/", self.embed_url(JANE))
        seen = self.control("GET", "requests")["requests"]
        self.assertEqual([503, 200], [request["status"] for request in seen])

    def test_a_url_expires(self):
        url = self.embed_url(JANE)
        self.control("POST", "clock", advance="6m")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)
        self.assertEqual(410, refused.exception.code)
        refused.exception.close()

    def test_a_throttled_user_leaves_others_alone(self):
        self.control("POST", "faults", fault="Throttle", user=JANE, always=True)
        with self.assertRaises(self.quicksight.exceptions.ThrottlingException):
            self.embed_url(JANE)
        self.assertIn("/embedding/", self.embed_url(BOB))


if __name__ == "__main__":
    unittest.main()
