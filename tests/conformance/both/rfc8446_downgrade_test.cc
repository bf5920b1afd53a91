// The mark in a ServerHello's random by which a client sees that it was led to an earlier version
// (RFC 8446 section 4.1.3).
#include <gtest/gtest.h>

#include <algorithm>

#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "support/connections.h"
#include "support/middlebox.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Buffer;
using dtls::Errc;
using dtls::Role;
using enum dtls::ProtocolVersion;

// Of a datagram that begins with a ServerHello in one piece, the last bytes of its random.
dtls::MutableBytes mark_in(Buffer& datagram) {
  constexpr std::size_t kRandomAt =
      dtls::record::kHeaderSize12 + dtls::message::kHandshakeHeaderSize + 2;
  return dtls::MutableBytes(datagram).subspan(kRandomAt + 24, 8);
}

const Buffer kDowngradedTo12 = from_hex("444f574e47524401");
const Buffer kDowngradedBelow12 = from_hex("444f574e47524400");

dtls::ConfigOptions options_between(dtls::ProtocolVersion lowest, dtls::ProtocolVersion highest) {
  dtls::ConfigOptions some = options();
  some.min_version = lowest;
  some.max_version = highest;
  return some;
}

// The mark that a server gives a client of DTLS 1.2.
Buffer mark_of_server(const dtls::ConfigOptions& server) {
  Pair pair(options_for(dtls12), server);
  pair.flight(pair.client);
  auto flight = pair.server.take_datagrams();
  const Buffer mark = copy_of(mark_in(flight.at(0)));
  for (Buffer& datagram : flight) pair.client.receive(std::move(datagram), {});
  pair.run();
  EXPECT_TRUE(works(pair)) << "a client of DTLS 1.2 takes no notice of it";
  return mark;
}

// A client to which somebody on the path makes a server of DTLS 1.2 alone look like another.
Pair marked_pair(const dtls::ConfigOptions& client, const Buffer& mark) {
  Pair pair(client, options_for(dtls12));
  bool is_first = true;
  exchange_through(
      [&](Role sender, Buffer datagram) {
        if (sender == Role::server && std::exchange(is_first, false)) {
          std::ranges::copy(mark, mark_in(datagram).begin());
        }
        return std::vector<Buffer>{std::move(datagram)};
      },
      pair.client, pair.server);
  return pair;
}

TEST(Rfc8446_4_1_3, AServerOfDtls13MarksThatItChoseDtls12) {
  EXPECT_EQ(mark_of_server(options_between(dtls12, dtls13)), kDowngradedTo12);
  EXPECT_NE(mark_of_server(options_for(dtls12)), kDowngradedTo12);
}

// "MUST check that the last 8 bytes are not equal to either of these values", and abort with
// illegal_parameter.
TEST(Rfc8446_4_1_3, AClientOfDtls13RefusesEitherMark) {
  for (const Buffer& mark : {kDowngradedTo12, kDowngradedBelow12}) {
    SCOPED_TRACE(to_hex(mark));
    const Pair pair = marked_pair(options_between(dtls12, dtls13), mark);
    EXPECT_TRUE(failed(pair.client, Errc::illegal_parameter, Alert::illegal_parameter));
  }
}

// What is no mark is part of the random: the server's signature then shows the change.
TEST(Rfc8446_4_1_3, OtherBytesAreNoMark) {
  const Pair pair = marked_pair(options_between(dtls12, dtls13), from_hex("444f574e47524402"));
  EXPECT_TRUE(failed(pair.client, Errc::bad_signature, Alert::decrypt_error));
}

}  // namespace
}  // namespace sluice::test
