// Records that come again (RFC 9147 section 4.5.1).
#include "conformance/dtls13/vocabulary.h"

namespace sluice::test {
namespace {

// "Duplicates are rejected through the use of a sliding receive window": before they are opened, so
// that a forgery under an old number costs little and does not count as one.
TEST(Rfc9147_4_5_1, ARecordOfAnOldNumberIsNotOpened) {
  Pair pair = connected_pair(options13());
  const Buffer record =
      sealed(pair.client, kFirstApplicationEpoch13, ContentType::application_data, counted(64));
  pair.server.receive(record, {});
  Buffer forged = record;
  forged.back() ^= std::byte{1};
  pair.server.receive(forged, {});
  EXPECT_EQ(discards(pair.server, Discard::replayed), 1U);
  EXPECT_EQ(discards(pair.server, Discard::authentication_failed), 0U);
  pair.server.receive(record, {});
  EXPECT_EQ(discards(pair.server, Discard::replayed), 2U);
  EXPECT_EQ(pair.server.data.size(), 1U);
}

}  // namespace
}  // namespace sluice::test
