// Tests of what DTLS 1.2 and 1.3 have in common: each runs once for either.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "support/endpoints.h"

namespace sluice::test {

class ByVersion : public testing::TestWithParam<dtls::ProtocolVersion> {
 protected:
  static bool is13() { return GetParam() == dtls::ProtocolVersion::dtls13; }
  static dtls::ConfigOptions options() { return options_for(GetParam()); }
};

inline auto both_versions() {
  return testing::Values(dtls::ProtocolVersion::dtls12, dtls::ProtocolVersion::dtls13);
}

inline std::string version_name(dtls::ProtocolVersion version) {
  return version == dtls::ProtocolVersion::dtls13 ? "Dtls13" : "Dtls12";
}
inline std::string name_of_version(const testing::TestParamInfo<dtls::ProtocolVersion>& info) {
  return version_name(info.param);
}

}  // namespace sluice::test
