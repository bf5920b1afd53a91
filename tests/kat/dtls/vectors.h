// The JSON files of this folder; each vector in them names its source.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/bytes.h"

namespace sluice::test {

inline nlohmann::json load_vectors(const std::string& file) {
  return nlohmann::json::parse(std::ifstream(SLUICE_TEST_DATA "/kat/dtls/" + file));
}

inline dtls::Buffer bytes_at(const nlohmann::json& vector, const char* name) {
  return from_hex(vector.at(name).get<std::string>());
}

}  // namespace sluice::test
