#include "scenario/libssl/exchange.h"

#include <gtest/gtest.h>

#include "support/endpoints.h"

namespace sluice::test {

using dtls::Buffer;

Peer make_peer(dtls::Role role, const dtls::ConfigOptions& chosen) {
  const auto config = make_config(chosen);
  return role == dtls::Role::client ? make_client(config) : make_server(config);
}

void exchange(Peer& ours, LibsslPeer& theirs) {
  theirs.advance();
  bool moved = true;
  while (moved) {
    moved = false;
    for (auto& datagram : ours.take_datagrams()) {
      theirs.receive(std::move(datagram));
      moved = true;
    }
    for (auto& datagram : theirs.take_datagrams()) {
      ours.receive(std::move(datagram), {});
      moved = true;
    }
  }
}

void expect_same_exports(Peer& ours, LibsslPeer& theirs) {
  const Buffer none;
  const Buffer some{std::byte{1}, std::byte{2}, std::byte{3}};
  for (const Buffer* context : {static_cast<const Buffer*>(nullptr), &none, &some}) {
    Buffer out(60);
    const auto as_optional =
        context != nullptr ? std::optional<dtls::Bytes>(*context) : std::nullopt;
    ASSERT_TRUE(ours.connection().export_keying_material(out, "EXTRACTOR-dtls_srtp", as_optional));
    EXPECT_EQ(out, theirs.export_keying_material(out.size(), "EXTRACTOR-dtls_srtp", context));
  }
}

void expect_data_both_ways(Peer& ours, LibsslPeer& theirs) {
  const Buffer message{std::byte{'h'}, std::byte{'i'}};
  const Buffer large(16000, std::byte{0x5a});
  theirs.receive(ours.seal(message));
  theirs.receive(ours.seal(large));
  EXPECT_EQ(theirs.data, (std::vector<Buffer>{message, large}));
  theirs.send(message);
  theirs.send(Buffer(1000, std::byte{7}));
  exchange(ours, theirs);
  EXPECT_EQ(ours.data, (std::vector<Buffer>{message, Buffer(1000, std::byte{7})}));
}

}  // namespace sluice::test
