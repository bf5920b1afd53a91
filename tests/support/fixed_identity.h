// One identity for all runs, so that a crash comes again. The key protects nothing.
#pragma once

#include <string_view>

namespace sluice::test {

inline constexpr std::string_view kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIULZf7oKjIL8NxP2jT1peSs+BjN1swCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjMwNTE4NDhaGA8yMTI2MTAzMDA1MTg0
OFowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPDT
hjIpjkBQpIiSp+zDOcwDhRpMOfltcFLxX5H6l3b4EgIl4SrrdmtLY1KZE2qhyYEz
9PUHZC3TrX/QhOHvYomjUzBRMB0GA1UdDgQWBBT7+3L7VHGRb63X3Rqs7CbyeZGL
STAfBgNVHSMEGDAWgBT7+3L7VHGRb63X3Rqs7CbyeZGLSTAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDAd8+8t2pOBqqRmHxv1ouvla9pawm11qyQ
HmBikEr+ywIgWrA0POGXSIewZwzt+RAkGSQZG/psRd4BieK+OC+n9RM=
-----END CERTIFICATE-----
)";

inline constexpr std::string_view kPrivateKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0uWkgigRqSVGJRzf
Bx2tL3Rwj09f2Cb85zI2dEmjhEqhRANCAATw04YyKY5AUKSIkqfswznMA4UaTDn5
bXBS8V+R+pd2+BICJeEq63ZrS2NSmRNqocmBM/T1B2Qt061/0ITh72KJ
-----END PRIVATE KEY-----
)";

}  // namespace sluice::test
