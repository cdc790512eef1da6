"""Findings in the API's shape, one of each kind, as handlers answer them."""

from datetime import UTC, datetime

SEEN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def package_finding(**more):
    return {
        "findingArn": "arn:aws:inspector2:us-east-1:111122223333:finding/0123456789abcdef0123456789abcdef",
        "awsAccountId": "111122223333",
        "type": "PACKAGE_VULNERABILITY",
        "title": "CVE-2023-5363 - libssl3, openssl",
        "description": 'Keys of a "wrong" length,\nand IVs.',
        "severity": "HIGH",
        "status": "ACTIVE",
        "firstObservedAt": SEEN,
        "lastObservedAt": SEEN,
        "updatedAt": SEEN,
        "remediation": {"recommendation": {"text": "None Provided"}},
        "fixAvailable": "PARTIAL",
        "exploitAvailable": "YES",
        "exploitabilityDetails": {"lastKnownExploitAt": SEEN},
        "epss": {"score": 0.01234},
        "inspectorScore": 7.5,
        "inspectorScoreDetails": {
            "adjustedCvss": {
                "score": 7.5,
                "scoreSource": "NVD",
                "scoringVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
                "version": "3.1",
                "cvssSource": "NVD",
                "adjustments": [],
            }
        },
        "packageVulnerabilityDetails": {
            "vulnerabilityId": "CVE-2023-5363",
            "source": "DEBIAN_CVE",
            "sourceUrl": "https://security-tracker.debian.org/tracker/CVE-2023-5363",
            "vendorSeverity": "medium",
            "vendorCreatedAt": SEEN,
            "referenceUrls": ["https://a.example/1", "https://a.example/2"],
            "cvss": [
                {"baseScore": 7.5, "scoringVector": "CVSS:3.1/NVD", "version": "3.1", "source": "NVD"},
                {"baseScore": 5.0, "scoringVector": "AV:N/NVD", "version": "2.0", "source": "NVD"},
                {"baseScore": 6.1, "scoringVector": "CVSS:3.0/SUSE", "version": "3.0", "source": "SUSE"},
            ],
            "vulnerablePackages": [
                {"name": "libssl3", "version": "3.0.9", "release": "1", "epoch": 0, "arch": "AMD64",
                 "packageManager": "OS", "fixedInVersion": "0:3.0.11-1~deb12u2", "remediation": "apt-get upgrade"},
                {"name": "openssl", "version": "3.0.9", "epoch": 1, "packageManager": "OS", "filePath": "usr/x"},
            ],
        },
        "resources": [
            {
                "type": "AWS_EC2_INSTANCE",
                "id": "i-0abc",
                "region": "us-east-1",
                "tags": {"Name": "web", "team": "a"},
                "details": {
                    "awsEc2Instance": {
                        "imageId": "ami-1",
                        "platform": "DEBIAN_12",
                        "ipV4Addresses": ["10.0.0.1", "8.8.4.4", "nonsense"],
                        "ipV6Addresses": ["2001:db8::1"],
                        "vpcId": "vpc-1",
                    }
                },
            }
        ],
    } | more  # fmt: skip


def network_finding():
    finding = package_finding(
        type="NETWORK_REACHABILITY",
        networkReachabilityDetails={
            "openPortRange": {"begin": 22, "end": 23},
            "protocol": "TCP",
            "networkPath": {
                "steps": [
                    {"componentId": "igw-1", "componentType": "AWS::EC2::InternetGateway"},
                    {"componentId": "eni-1", "componentType": "AWS::EC2::NetworkInterface"},
                ]
            },
        },
    )
    for name in ("packageVulnerabilityDetails", "epss", "exploitAvailable", "inspectorScoreDetails"):
        del finding[name]
    return finding


def code_finding():
    finding = package_finding(
        type="CODE_VULNERABILITY",
        codeVulnerabilityDetails={
            "detectorName": "Hard-coded credentials",
            "filePath": {"filePath": "src/a.py", "fileName": "a.py", "startLine": 3, "endLine": 5},
            "referenceUrls": ["https://cwe.example/798"],
        },
        resources=[
            {
                "type": "AWS_LAMBDA_FUNCTION",
                "id": "arn:aws:lambda:us-east-1:111122223333:function:f:$LATEST",
                "details": {
                    "awsLambdaFunction": {
                        "functionName": "f",
                        "runtime": "PYTHON_3_12",
                        "layers": ["arn:layer:1", "arn:layer:2"],
                        "packageType": "ZIP",
                        "lastModifiedAt": SEEN,
                        "vpcConfig": {"vpcId": "vpc-2"},
                    }
                },
            }
        ],
    )
    del finding["packageVulnerabilityDetails"]
    return finding


def image_finding():
    image = {"repositoryName": "app", "imageHash": "sha256:aa", "imageTags": ["1.0", "latest"], "platform": "ALPINE"}
    resource = {
        "type": "AWS_ECR_CONTAINER_IMAGE",
        "id": "arn:aws:ecr:us-east-1:111122223333:repository/app/sha256:aa",
        "details": {"awsEcrContainerImage": image},
    }
    return package_finding(resources=[resource])
