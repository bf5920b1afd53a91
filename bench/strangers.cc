// The cost per received byte of hostile ClientHellos and their fragments, compared with an ordinary
// ClientHello of the same version. Each datagram has another source address, which the sender may
// forge. The headers of IPv4 and UDP count as bytes, since the sender has to send them.
#include <benchmark/benchmark.h>
#include <sluice/dtls/endpoint.h>

#include <cmath>
#include <memory>

#include "measures.h"
#include "support/bytes.h"
#include "support/endpoints.h"
#include "support/hello_fields.h"
#include "wire/writer.h"

namespace sluice::bench {
namespace {

using dtls::Buffer;
using dtls::wire::ExtensionType;
using test::ClientHelloFields;
using test::datagram_of;
using test::from_hex;

// IPv4 and UDP.
constexpr std::size_t kHeaders = 28;
// Bytes received in one iteration.
constexpr std::size_t kReceived = std::size_t{256} * 1024;

struct Flood {
  std::string name;
  std::vector<Buffer> datagrams;  // sent in turn
  bool is_13;                     // beside which ordinary ClientHello
  bool has_one_source = false;
};

// ---- ClientHellos

Buffer with12(void (*edit)(ClientHelloFields&)) {
  ClientHelloFields hello;
  edit(hello);
  return datagram_of(hello);
}

Buffer with13(ExtensionType type, Buffer data) {
  auto hello = test::hello_fields13();
  hello.extensions.set(type, std::move(data));
  return datagram_of(hello);
}

// A list of unassigned 16-bit codes, with a length of `width` bytes before it.
Buffer unknown_codes(std::size_t count, std::size_t width) {
  Buffer data(width);
  dtls::wire::store(dtls::MutableBytes(data), 2 * count);
  dtls::wire::Writer out(data);
  for (std::size_t i = 0; i < count; ++i) out.u16(static_cast<std::uint16_t>(0x6000 + i));
  return data;
}

// Shares of one byte each.
Buffer shares(std::size_t count) {
  Buffer data;
  dtls::wire::Writer out(data);
  const auto list = out.vector16();
  for (std::size_t i = 0; i < count; ++i) {
    out.u16(static_cast<std::uint16_t>(0x7000 - i));
    out.u16(1);
    out.u8(0);
  }
  return data;
}

void add_extensions(ClientHelloFields& hello, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    hello.extensions.push_back({ExtensionType{static_cast<std::uint16_t>(0x7000 - i)}, {}});
  }
}

Buffer cookie_extension(std::size_t size) {
  Buffer data(2 + size, std::byte{1});
  dtls::wire::store(dtls::MutableBytes(data).first(2), size);
  return data;
}

// Shorter than its reply.
Buffer short_hello13() {
  auto hello = test::hello_fields13();
  hello.suites = {dtls::CipherSuite::aes_128_gcm_sha256};
  hello.extensions.remove(ExtensionType::signature_algorithms);
  hello.extensions.set(ExtensionType::supported_groups, from_hex("0002 001d"));
  hello.extensions.set(ExtensionType::key_share, from_hex("0000"));
  return datagram_of(hello);
}

// ---- fragments

void put_fragment(dtls::wire::Writer& out, std::uint32_t length, std::uint32_t offset,
                  std::uint8_t content) {
  out.u8(1);  // ClientHello
  out.u24(length);
  out.u16(0);
  out.u24(offset);
  out.u24(1);
  out.u8(content);
}

template <class Put>
Buffer record_of(Put&& put) {
  Buffer datagram = from_hex("16 fefd 0000 000000000000");
  dtls::wire::Writer out(datagram);
  const auto contents = out.vector16();
  put(out);
  return datagram;
}

// One byte of a ClientHello that says it has 4,096.
Buffer fragment(std::uint32_t offset, std::uint8_t content = 0) {
  return record_of([&](dtls::wire::Writer& out) { put_fragment(out, 4096, offset, content); });
}

Buffer many_fragments(std::uint32_t step) {
  return record_of([&](dtls::wire::Writer& out) {
    for (std::uint32_t i = 0; i < 100; ++i) put_fragment(out, 4096, i * step, 0);
  });
}

Buffer empty_records() {
  Buffer datagram;
  for (int i = 0; i < 100; ++i) {
    const Buffer record = record_of([](dtls::wire::Writer&) {});
    datagram.insert(datagram.end(), record.begin(), record.end());
  }
  return datagram;
}

std::vector<Flood> floods() {
  std::vector<Flood> all;
  const auto add = [&](const char* name, Buffer datagram, bool is_13) {
    all.push_back({name, {std::move(datagram)}, is_13});
  };
  add("shortest", with12([](auto& hello) {
        hello.extensions.clear();
        hello.suites.resize(1);
      }),
      false);
  add("many_suites", with12([](auto& hello) {
        hello.suites.clear();
        for (int i = 0; i < 1900; ++i) hello.suites.push_back(dtls::CipherSuite(0x6000 + i));
      }),
      false);
  add("many_extensions", with12([](auto& hello) { add_extensions(hello, 120); }), false);
  add("too_many_extensions", with12([](auto& hello) { add_extensions(hello, 900); }), false);
  add("long_extension", with12([](auto& hello) {
        hello.extensions.push_back({ExtensionType{0x7000}, Buffer(3800)});
      }),
      false);
  add("forged_cookie12", with12([](auto& hello) { hello.cookie = test::counted(21); }), false);
  add("shortest_with_forged_cookie", with12([](auto& hello) {
        hello.extensions.clear();
        hello.suites.resize(1);
        hello.cookie = test::counted(21);
      }),
      false);
  add("short13", short_hello13(), true);
  add(
      "many_suites13",
      [] {
        auto hello = test::hello_fields13();
        for (int i = 0; i < 1800; ++i) {
          hello.suites.insert(hello.suites.begin(), dtls::CipherSuite(0x6000 + i));
        }
        return datagram_of(hello);
      }(),
      true);
  add("many_versions", with13(ExtensionType::supported_versions, unknown_codes(127, 1)), true);
  add("many_groups", with13(ExtensionType::supported_groups, unknown_codes(1900, 2)), true);
  add("many_schemes", with13(ExtensionType::signature_algorithms, unknown_codes(1900, 2)), true);
  add("key_shares", with13(ExtensionType::key_share, shares(64)), true);
  add("too_many_key_shares", with13(ExtensionType::key_share, shares(780)), true);
  add("no_key_share", with13(ExtensionType::key_share, from_hex("0000")), true);
  add("forged_cookie13", with13(ExtensionType::cookie, cookie_extension(57)), true);
  add("first_fragment", fragment(0), false);
  add("last_fragment", fragment(4095), false);
  all.push_back({"contradictions", {fragment(7, 1), fragment(7, 2)}, false, true});
  Flood scattered{"scattered_fragments", {}, false, true};
  for (std::uint32_t i = 0; i < 100; ++i) scattered.datagrams.push_back(fragment(40 * i));
  all.push_back(std::move(scattered));
  add("many_fragments", many_fragments(1), false);
  add("many_scattered_fragments", many_fragments(2), false);
  add("empty_records", empty_records(), false);
  return all;
}

Flood ordinary(bool is_13) {
  return {"ordinary",
          {is_13 ? datagram_of(test::hello_fields13()) : datagram_of(ClientHelloFields{})},
          is_13};
}

// ---- servers

class ListenerTarget {
 public:
  void receive(dtls::MutableBytes datagram, std::uint32_t source) {
    std::array<std::byte, 6> address{};
    dtls::wire::store(dtls::MutableBytes(address), source);
    benchmark::DoNotOptimize(listener_.handle_datagram(datagram, address, {}));
  }

 private:
  dtls::Listener listener_ =
      test::must(dtls::Listener::make(test::make_config(), test::environment()));
};

class EndpointTarget {
 public:
  void receive(dtls::MutableBytes datagram, std::uint32_t source) {
    const dtls::UdpPath path{.peer = {dtls::Ipv4Address{static_cast<std::uint8_t>(source >> 24),
                                                        static_cast<std::uint8_t>(source >> 16),
                                                        static_cast<std::uint8_t>(source >> 8),
                                                        static_cast<std::uint8_t>(source)},
                                      5684}};
    endpoint_.handle_datagram(datagram, path, {});
    std::array<std::byte, 1500> out{};
    while (endpoint_.poll_transmit(out)) {
    }
  }

 private:
  dtls::Endpoint endpoint_ =
      test::must(dtls::Endpoint::make({.server = test::make_config()}, test::environment()));
};

template <class Target>
Timed timed(const Flood& flood) {
  std::size_t size = 0;
  for (const Buffer& datagram : flood.datagrams) size += datagram.size() + kHeaders;
  const double each = static_cast<double>(size) / static_cast<double>(flood.datagrams.size());
  const auto count = static_cast<std::size_t>(std::lround(kReceived / each));
  return Timed{[=](benchmark::State& state) {
    auto datagrams = flood.datagrams;
    Target target;
    std::uint32_t source = 0;
    std::size_t next = 0;
    while (state.KeepRunning()) {
      for (std::size_t i = 0; i < count; ++i) {
        if (!flood.has_one_source) ++source;
        target.receive(datagrams[next], source);
        next = next + 1 == datagrams.size() ? 0 : next + 1;
      }
    }
  }};
}

template <class Target>
Measure stranger_measure(const char* target, const Flood& flood) {
  return {.name = std::string("strangers/") + target + "/" + flood.name,
          .unit = "ns a byte",
          .per_second = 1e9 / kReceived,
          .contestants = {{kOurs, timed<Target>(flood)},
                          {"ordinary", timed<Target>(ordinary(flood.is_13))}},
          .goals = {{"ordinary", 2}}};
}

}  // namespace

void add_strangers(Measures& measures) {
  for (const Flood& flood : floods()) {
    measures.push_back(stranger_measure<ListenerTarget>("listener", flood));
    measures.push_back(stranger_measure<EndpointTarget>("endpoint", flood));
  }
}

}  // namespace sluice::bench
