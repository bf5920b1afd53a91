// Why a call about a session has no effect.
#pragma once

#include <string_view>

#include <sluice/dtls/error.h>

namespace sluice::ice_lite {

inline dtls::Error refusal(dtls::Errc code, std::string_view detail = "") {
  return {.code = code, .detail = detail};
}

}  // namespace sluice::ice_lite
