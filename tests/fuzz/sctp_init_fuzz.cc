// a=sctp-init of a peer: the attribute's text, and an association that starts with a valid chunk.
#include <sluice/data_channel/association.h>
#include <sluice/data_channel/sctp_init.h>

#include <algorithm>
#include <chrono>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "init_chunk.h"
#include "support/usrsctp_clock.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;

void drain(Association& association, std::size_t mtu) {
  while (association.poll_event()) continue;
  while (const auto packet = association.poll_transmit()) SLUICE_CHECK(packet->size() <= mtu);
}

// Whatever a valid chunk says: the association is established with it or goes on to a handshake.
void start(Bytes init) {
  dtls::Instant now{};
  test::set_usrsctp_time(now);
  const Options options{.max_channels = 16, .wait_for_start = true};
  auto association = Association::make(options, now).value();
  const auto started = association.start(init, now);
  if (!started) {
    SLUICE_CHECK(started.error().code == Errc::invalid_init);
    SLUICE_CHECK(association.start(std::nullopt, now).has_value());
  }
  drain(association, options.mtu);
  SLUICE_CHECK(association.established() == started.has_value());
  if (const auto id = association.open({.label = "x"}, now)) {
    (void)association.send(*id, MessageType::binary, init, now);
  }
  for (int tick = 0; tick < 50; ++tick) {
    now += 100ms;
    test::set_usrsctp_time(now);
    association.handle_timeout(now);
    drain(association, options.mtu);
  }
}

}  // namespace
}  // namespace sluice::data_channel

// As data_channel_fuzz.
extern "C" const char* __asan_default_options() {  // NOLINT
  return "detect_leaks=0";
}

// The input is the attribute's value, or from a zero byte on the chunk itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::data_channel;
  const auto input = sluice::fuzz::bytes_of(data, size);
  if (!input.empty() && input[0] == std::byte{0}) {
    if (is_init_chunk(input.subspan(1))) start(input.subspan(1));
    return 0;
  }
  const std::string_view text{reinterpret_cast<const char*>(input.data()), input.size()};
  const auto chunk = read_sctp_init(text);
  if (!chunk) return 0;
  SLUICE_CHECK(write_sctp_init(*chunk) == text);
  start(*chunk);
  return 0;
}
