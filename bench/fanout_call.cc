#include "fanout_call.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;

constexpr dtls::UdpEndpoint kAnyPort{dtls::Ipv4Address{127, 0, 0, 1}, 0};
constexpr std::uint8_t kPayloadType = 111;

template <class T>
T must(tl::expected<T, std::string> result) {
  if (!result) throw std::runtime_error(result.error());
  return *std::move(result);
}

udp::Socket loopback_socket(bool joins) {
  return must(udp::Socket::bind(dtls::to_socket_address(kAnyPort),
                                {.reports_local_address = false, .joins_sent = joins}));
}

// The default limit of open files is below the largest number of receivers.
void allow_sockets(std::size_t count) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, files.rlim_cur + count);
  setrlimit(RLIMIT_NOFILE, &files);
}

// What browsers agree on.
rtp::ForwardedStream stream_of(std::uint32_t ssrc) {
  rtp::ForwardOptions options{.ssrc = rtp::Ssrc{ssrc},
                              .mid = rtp::TextElement{.id = rtp::ExtensionId{4}, .text = "0"},
                              .absolute_send_time = rtp::ExtensionId{2},
                              .transport_sequence_number = rtp::ExtensionId{3}};
  options.payload_types[kPayloadType] = rtp::PayloadType{96};
  auto made = rtp::ForwardedStream::make(options);
  if (!made) throw std::runtime_error("ForwardedStream");
  return *std::move(made);
}

// Room for one datagram, which goes nowhere.
class Nowhere {
 public:
  dtls::MutableBytes room(std::size_t size) { return dtls::MutableBytes(space_).first(size); }
  void commit(std::size_t /*size*/, const dtls::UdpPath& /*path*/) const {}

 private:
  std::array<std::byte, 2048> space_{};
};

// Notes when a batch has left.
class WatchedBatch {
 public:
  WatchedBatch(udp::SendBatch& batch, udp::Socket& socket, dtls::Instant start)
      : batch_(batch), socket_(socket), start_(start) {}

  dtls::MutableBytes room(std::size_t size) {
    auto room = batch_.room(size);
    if (!room.empty()) return room;
    flush();
    return batch_.room(size);
  }
  void commit(std::size_t size, const dtls::UdpPath& path) { batch_.commit(size, path); }
  void flush() {
    socket_.send(batch_);
    departed.push_back({batch_.datagrams(), udp::now() - start_});
    batch_.clear();
  }

  std::vector<Departed> departed;

 private:
  udp::SendBatch& batch_;
  udp::Socket& socket_;
  dtls::Instant start_;
};

}  // namespace

Sinks::Sinks(std::size_t count) {
  allow_sockets(count);
  for (std::size_t i = 0; i < count; ++i) {
    sockets_.push_back(socket(AF_INET, SOCK_DGRAM, 0));
    auto address = dtls::to_socket_address(kAnyPort);
    const int smallest = 0;
    setsockopt(sockets_.back(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest);
    if (bind(sockets_.back(), address.get(), address.size) != 0 ||
        getsockname(sockets_.back(), address.get(), &address.size) != 0) {
      throw std::runtime_error("no socket for a receiver");
    }
    addresses_.push_back(dtls::to_udp_endpoint(address).value());
  }
}

Sinks::~Sinks() {
  for (const int descriptor : sockets_) close(descriptor);
}

test::IceWorld FanOutCall::make_world() {
  test::IceWorld world({.server_address = {}, .dtls = test::dtls13_with_gcm()});
  // Virtual until all are connected, real from then on.
  world.now = udp::now() - 60s;
  return world;
}

FanOutCall::FanOutCall(const std::vector<dtls::UdpEndpoint>& receivers, bool joins)
    : sender_(loopback_socket(true)), world_(make_world()) {
  connect(receivers);
  driver_.emplace(
      must(udp::Driver<Server>::make(std::move(world_.server), loopback_socket(joins))));
}

void FanOutCall::connect(const std::vector<dtls::UdpEndpoint>& receivers) {
  streams_.reserve(receivers.size());
  transport_numbers_.resize(receivers.size());
  world_.begin({.candidates = {sender_.own()}});
  for (std::size_t i = 0; i < receivers.size(); ++i) {
    const auto session = world_.begin({.candidates = {receivers[i]}});
    streams_.push_back(stream_of(static_cast<std::uint32_t>(1000 + i)));
    receivers_.push_back({session, &streams_[i], &transport_numbers_[i]});
    world_.run_for(10ms);
  }
  world_.run_until(udp::now());
  for (const auto& client : world_.clients) {
    if (!client->transport.connected()) throw std::runtime_error("a session is not connected");
  }
}

void FanOutCall::keep_alive() {
  auto& server = driver_->server();
  std::array<std::byte, dtls::kMaxDatagram> out{};
  const auto now = udp::now();
  for (const auto& client : world_.clients) {
    const dtls::UdpPath path{.peer = client->candidates().front()};
    while (client->next_timeout() && *client->next_timeout() <= now) {
      client->handle_timeout(now);
      for (auto& each : client->take()) server.handle_datagram(each.bytes, path, now);
      while (const auto sent = server.poll_transmit(out)) {
        client->handle_datagram(dtls::MutableBytes(out).first(sent->size), 0, now);
      }
    }
  }
}

test::Packet FanOutCall::plaintext() { return test::make_rtp({.payload = kPayload}); }

void FanOutCall::send_burst(std::size_t burst) {
  auto& transport = world_.clients.front()->transport;
  const auto plain = plaintext();
  std::array<std::byte, kPayload + 200> wire{};
  for (std::size_t i = 0; i < burst; ++i) {
    ++sequence_;
    std::ranges::copy(plain, wire.begin());
    rtp::set_sequence_number(wire, rtp::SequenceNumber{sequence_});
    const auto size = transport.protect_rtp(wire, plain.size());
    if (!size) throw std::runtime_error("protect");
    sender_.send(dtls::Bytes(wire).first(*size), {.peer = driver_->socket().own()});
  }
}

bool FanOutCall::collect() {
  packets_.clear();
  auto& server = driver_->server();
  while (const auto media = server.poll_media()) {
    if (const auto packet = rtp::read_packet(media->packet)) packets_.push_back(*packet);
  }
  while (server.poll_event()) continue;
  return !packets_.empty();
}

template <class Batch>
void FanOutCall::forward_burst(std::size_t burst, Batch& batch) {
  send_burst(burst);
  const auto expected = counts_.packets + burst * receivers_.size();
  const auto until = udp::now() + 10s;
  while (counts_.packets < expected) {
    if (udp::now() > until) throw std::runtime_error("packets were not forwarded");
    driver_->turn([&] {
      if (!collect()) return;
      forward(driver_->server(), std::span<const rtp::Packet>(packets_), std::span(receivers_),
              udp::now(), batch, counts_);
    });
  }
}

void FanOutCall::run(std::size_t burst) { forward_burst(burst, *driver_); }

void FanOutCall::run_unsent(std::size_t burst) {
  const auto plain = plaintext();
  auto packet = *rtp::read_packet(plain);
  packets_.clear();
  for (std::size_t i = 0; i < burst; ++i) {
    packet.sequence_number = rtp::SequenceNumber{++sequence_};
    packets_.push_back(packet);
  }
  Nowhere nowhere;
  forward(driver_->server(), std::span<const rtp::Packet>(packets_), std::span(receivers_),
          udp::now(), nowhere, counts_);
}

std::vector<Departed> FanOutCall::run_watched(std::size_t burst) {
  WatchedBatch batch(watched_, driver_->socket(), udp::now());
  forward_burst(burst, batch);
  batch.flush();
  return std::move(batch.departed);
}

}  // namespace sluice::bench
