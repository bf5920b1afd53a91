// An association and a peer that is authenticated and hostile: it speaks SCTP with the right tag
// and checksum, in packets and chunks that the input makes. Whatever comes, the association goes on
// or ends, hands out messages within its limits, and its own calls work.
#include <sluice/data_channel/association.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "chunks.h"
#include "fuzz/check.h"
#include "fuzz/input.h"
#include "init_chunk.h"
#include "sctp_socket.h"
#include "support/usrsctp_clock.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxMessage = 5000;
constexpr std::size_t kMaxSteps = 200;
constexpr std::size_t kInitTsnOffset = kCommonHeader + 16;

class World {
 public:
  explicit World(dtls::wire::Reader& input) : input_(input) {
    test::set_usrsctp_time(now_);
    SLUICE_CHECK(peer_.connect());
    const auto init = peer_.packets().pop();
    SLUICE_CHECK(init && init->size() > kInitTsnOffset + 4);
    first_tsn_ = load_u32(*init, kInitTsnOffset);
    peer_.packets().push(*init);
    for (int round = 0; round < 6; ++round) exchange();
    SLUICE_CHECK(association_.established());
  }

  void run() {
    for (std::size_t step = 0; step < kMaxSteps && input_.more(); ++step) {
      one_step(input_.u8() % 8);
      take_events();
    }
    exchange();
    const auto statistics = association_.statistics();
    SLUICE_CHECK(statistics.channels_opened - statistics.channels_closed <= options().max_channels);
  }

 private:
  static Options options() {
    return {.role = dtls::Role::server,
            .max_message_size = kMaxMessage,
            .max_channels = 16,
            .send_buffer = 65536,
            .receive_buffer = 65536,
            .max_buffered = 10000};
  }

  void one_step(unsigned kind) {
    switch (kind) {
      case 0:
      case 1:
        send_chunk();
        break;
      case 2:
        deliver(fuzz::take(input_, input_.u8()), true);
        break;
      case 3:
        (void)peer_.send(input_.u8() % 16, protocol(), payload(),
                         {.ordered = input_.u8() % 2 == 0});
        break;
      case 4:
        change_and_deliver();
        break;
      case 5:
        act();
        break;
      case 6:
        now_ += 1ms * (1 + 20 * input_.u8());
        test::set_usrsctp_time(now_);
        association_.handle_timeout(now_);
        break;
      default:
        exchange();
    }
  }

  PayloadProtocol protocol() {
    constexpr std::array kProtocols = {PayloadProtocol::dcep,         PayloadProtocol::string,
                                       PayloadProtocol::binary,       PayloadProtocol::string_empty,
                                       PayloadProtocol::binary_empty, PayloadProtocol{99}};
    return kProtocols[input_.u8() % kProtocols.size()];
  }
  // Of the input's bytes, or a longer one; not empty.
  Buffer payload() {
    const std::size_t size = input_.u8();
    Buffer data = size < 128 ? fuzz::take(input_, size) : Buffer((size - 127) * 60);
    if (data.empty()) data.resize(1);
    return data;
  }

  void deliver(Bytes rest, bool with_header) {
    Buffer packet;
    if (with_header) append(packet, header_);
    append(packet, rest);
    if (packet.size() >= kCommonHeader) set_checksum(packet);
    association_.handle_packet(packet, now_);
  }

  // A chunk whose numbers are near those that the association expects.
  void send_chunk() {
    const auto type = ChunkType{input_.u8()};
    Buffer chunk;
    append_u8(chunk, static_cast<std::uint8_t>(type));
    append_u8(chunk, input_.u8());
    const std::uint8_t lie = input_.u8();
    append_u16(chunk, 0);
    if (type == ChunkType::data) {
      append_u32(chunk, first_tsn_ + input_.u8() - 8U);
      append_u16(chunk, input_.u8() % 20);  // stream
      append_u16(chunk, input_.u8() % 4);
      append_u32(chunk, static_cast<std::uint32_t>(protocol()));
    } else if (type == ChunkType::forward_tsn) {
      append_u32(chunk, first_tsn_ + input_.u8() - 8U);
    } else if (type == ChunkType::reconfig) {
      append_u16(chunk, input_.u8());  // type of the parameter
      append_u16(chunk, input_.u8());  // its length
      append_u32(chunk, first_tsn_ + input_.u8() - 8U);
    }
    append(chunk, fuzz::take(input_, input_.u8()));
    const auto length = static_cast<std::uint16_t>(lie < 200 ? chunk.size() : lie);
    chunk[2] = std::byte(length >> 8);
    chunk[3] = std::byte(length & 0xff);
    chunk.resize(padded(chunk.size()));
    deliver(chunk, true);
  }

  // An honest packet with one byte changed.
  void change_and_deliver() {
    const auto packet = peer_.packets().pop();
    const std::size_t offset = kCommonHeader + input_.u8();
    const std::byte change{input_.u8()};
    if (!packet) return;
    Buffer changed(packet->begin(), packet->end());
    if (offset < changed.size()) changed[offset] ^= change;
    deliver(changed, false);
  }

  void act() {
    const auto id = ChannelId{static_cast<std::uint16_t>(input_.u8() % 16)};
    switch (input_.u8() % 4) {
      case 0:
        (void)association_.open({.label = "x", .ordered = false}, now_);
        break;
      case 1:
        (void)association_.open_negotiated(id, {}, now_);
        break;
      case 2:
        (void)association_.send(id, MessageType::binary, payload(), now_);
        break;
      default:
        (void)association_.close_channel(id, now_);
    }
    SLUICE_CHECK(association_.buffered_amount(id) <= options().max_buffered);
  }

  // What an honest peer would do.
  void exchange() {
    while (const auto packet = peer_.packets().pop()) {
      if (packet->size() < kCommonHeader) continue;
      std::ranges::copy(packet->first(kCommonHeader), header_.begin());
      deliver(Buffer(packet->begin(), packet->end()), false);
    }
    take_events();
    while (const auto packet = association_.poll_transmit()) {
      SLUICE_CHECK(packet->size() <= options().mtu);
      peer_.receive(*packet);
    }
    while (peer_.read()) continue;
  }

  void take_events() {
    while (const auto event = association_.poll_event()) {
      const auto* message = std::get_if<MessageReceived>(&*event);
      if (message != nullptr) SLUICE_CHECK(message->data.size() <= kMaxMessage);
    }
  }

  dtls::wire::Reader& input_;
  dtls::Instant now_{};
  Association association_ = Association::make(options(), now_).value();
  SctpSocket peer_{{}, now_};
  std::array<std::byte, kCommonHeader> header_{};  // of the peer's packets, with the tag
  std::uint32_t first_tsn_ = 0;                    // of the peer
};

}  // namespace
}  // namespace sluice::data_channel

// usrsctp frees a closed endpoint at a later timer. So each input looks like a leak to libFuzzer,
// which then searches for 50 ms.
extern "C" const char* __asan_default_options() {  // NOLINT
  return "detect_leaks=0";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::dtls::wire::Reader input(sluice::fuzz::bytes_of(data, size));
  sluice::data_channel::World(input).run();
  return 0;
}
