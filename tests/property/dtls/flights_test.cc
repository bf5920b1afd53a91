// However a flight is cut, mixed, repeated and thinned on its way, both ends connect and agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "record/header13.h"
#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::Instant;
using dtls::MutableBytes;
using dtls::message::HandshakeFragment;
using dtls::message::HandshakeHeader;
using dtls::message::kHandshakeHeaderSize;
using dtls::record::Header12;
using dtls::record::Header13;
using dtls::record::kHeaderSize12;

// A path on which plaintext handshake messages arrive in other fragments than they were sent in, as
// if the peer had cut them so; nobody authenticates plaintext record headers.
class Shredder {
 public:
  Shredder(std::uint64_t seed, double loss) : random_(seed), loss_(loss) {}

  std::vector<Buffer> operator()(const std::vector<Buffer>& datagrams) {
    std::vector<Buffer> records;
    for (const Buffer& datagram : datagrams) {
      for (Bytes rest(datagram); !rest.empty();) {
        const Bytes record = rest.first(record_size(rest));
        rest = rest.subspan(record.size());
        shred(record, records);
      }
    }
    std::erase_if(records, [&](const Buffer&) { return happens(loss_); });
    for (std::size_t i = records.size(); i > 0; --i) {
      if (happens(0.2)) records.push_back(records[i - 1]);
    }
    std::ranges::shuffle(records, random_);
    return pack(records);
  }

 private:
  static std::size_t record_size(Bytes datagram) {
    if (!Header13::is_unified(datagram.front())) {
      return kHeaderSize12 + Header12::decode(datagram).value().length;
    }
    const auto header = Header13::decode(datagram).value();
    return header.size + header.length;
  }

  bool happens(double probability) {
    return std::uniform_real_distribution<>(0, 1)(random_) < probability;
  }
  std::size_t up_to(std::size_t highest) { return random_() % (highest + 1); }

  void shred(Bytes record, std::vector<Buffer>& out) {
    const auto header = Header12::decode(record);
    const bool is_plain_handshake = !Header13::is_unified(record.front()) &&
                                    header->type == dtls::wire::ContentType::handshake &&
                                    header->epoch == dtls::wire::kPlaintextEpoch;
    if (!is_plain_handshake) {
      out.push_back(copy_of(record));
      return;
    }
    dtls::wire::Reader reader(record.subspan(kHeaderSize12));
    while (reader.more()) cut(*header, HandshakeFragment::take(reader).value(), out);
  }

  // Pieces that cover the fragment and may overlap.
  void cut(Header12 header, const HandshakeFragment& fragment, std::vector<Buffer>& out) {
    std::size_t covered = 0;
    do {
      const std::size_t start = covered - up_to(std::min<std::size_t>(covered, 20));
      const std::size_t end = std::min(fragment.body.size(), covered + 1 + up_to(400));
      HandshakeHeader piece = fragment.header;
      piece.fragment_offset += static_cast<std::uint32_t>(start);
      piece.fragment_length = static_cast<std::uint32_t>(end - start);
      header.length = kHandshakeHeaderSize + (end - start);
      Buffer record(kHeaderSize12 + header.length);
      header.encode(record);
      piece.encode(MutableBytes(record).subspan(kHeaderSize12));
      std::ranges::copy(fragment.body.subspan(start, end - start),
                        record.begin() + kHeaderSize12 + kHandshakeHeaderSize);
      out.push_back(std::move(record));
      covered = end;
    } while (covered < fragment.body.size());
  }

  std::vector<Buffer> pack(const std::vector<Buffer>& records) {
    std::vector<Buffer> datagrams;
    for (const Buffer& record : records) {
      if (datagrams.empty() || happens(0.5)) datagrams.emplace_back();
      datagrams.back().insert(datagrams.back().end(), record.begin(), record.end());
    }
    return datagrams;
  }

  std::mt19937_64 random_;
  double loss_;
};

Instant earliest_timeout(const Peer& a, const Peer& b) {
  return std::min(a.connection().next_timeout().value_or(Instant::max()),
                  b.connection().next_timeout().value_or(Instant::max()));
}

// Both ends until they are connected, or for 60 virtual seconds.
void run(Peer& client, Peer& server, Shredder& path) {
  Instant now{};
  while (!(client.connected && server.connected) && now < Instant{std::chrono::seconds{60}}) {
    auto to_server = path(client.take_datagrams());
    auto to_client = path(server.take_datagrams());
    if (to_server.empty() && to_client.empty()) {
      now = earliest_timeout(client, server);
      client.settle(client.connection().handle_timeout(now), now);
      server.settle(server.connection().handle_timeout(now), now);
    }
    for (auto& datagram : to_server) server.receive(std::move(datagram), now);
    for (auto& datagram : to_client) client.receive(std::move(datagram), now);
  }
}

std::string exported(const Peer& peer) {
  Buffer out(32);
  must(peer.connection().export_keying_material(out, "test", std::nullopt));
  return to_hex(out);
}

void connects(const dtls::ConfigOptions& options, std::uint64_t seed, double loss) {
  SCOPED_TRACE("seed " + std::to_string(seed) + ", loss " + std::to_string(loss));
  std::mt19937_64 random(seed);
  const auto config = make_config(options);
  Peer client = make_client(config);
  Peer server = make_server(config);
  client.connection().set_path_mtu(256 + random() % 1245);
  server.connection().set_path_mtu(256 + random() % 1245);
  Shredder path(seed, loss);
  run(client, server, path);
  ASSERT_FALSE(client.error) << to_string(*client.error);
  ASSERT_FALSE(server.error) << to_string(*server.error);
  ASSERT_TRUE(client.connected && server.connected);
  EXPECT_EQ(exported(client), exported(server));
  server.receive(client.seal(bytes_of("data")), Instant{std::chrono::seconds{60}});
  EXPECT_EQ(server.data.size(), 1U);
}

class Flights : public ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, Flights, both_versions(), name_of_version);

TEST_P(Flights, ConnectHoweverTheyAreCutAndMixed) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) connects(options(), seed, 0);
}

TEST_P(Flights, ConnectThoughAFifthOfTheRecordsIsLost) {
  for (std::uint64_t seed = 1001; seed <= 1150; ++seed) connects(options(), seed, 0.2);
}

}  // namespace
}  // namespace sluice::test
