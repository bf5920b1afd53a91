// Which of the sockets that systemd has opened is for what.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "common/lite/lite_port.h"
#include "common/service_manager.h"

namespace sluice::interop::sfu {

struct Activation {
  // A socket of UDP, and one of TCP with the same port.
  std::optional<AdoptedSockets> media;
  // Another one of TCP.
  std::optional<int> http;
};

// The error says what is missing, or too much.
tl::expected<Activation, std::string> assign(std::span<const common::PassedSocket> sockets);

}  // namespace sluice::interop::sfu
