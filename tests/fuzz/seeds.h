// Who makes the seeds of the fuzz targets.
#pragma once

#include <sluice/dtls/bytes.h>

#include <string>

namespace sluice::fuzz {

// Into the folder of that target.
void write(const std::string& target, const std::string& name, dtls::Bytes seed);

void session_state_seeds();
void waking_seeds();
void media_state_seeds();
void lite_state_seeds();
void stun_seeds();

}  // namespace sluice::fuzz
