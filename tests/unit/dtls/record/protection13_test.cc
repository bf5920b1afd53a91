#include "record/protection13.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls::record {
namespace {

using test::counted;
using test::must;

// RFC 8446 section 5.4: without an octet that isn't zero there is no content type, and its reader
// must end the connection. That goes for no octet at all as well: the record is authentic.
TEST(Protection13, AnEmptyInnerPlaintextIsOfNoType) {
  crypto::Library& library = test::environment().library();
  const Buffer key = counted(16);
  crypto::AeadNonce iv{};
  auto aead = must(crypto::AeadSealer::make(library, crypto::AeadAlgorithm::aes_128_gcm, key));
  const Buffer head = test::from_hex("2f 0000 0010");
  Buffer record = head;
  record.resize(head.size() + aead.tag_size());
  must(aead.seal(iv, head, {}, MutableBytes(record).subspan(head.size())));

  auto opener =
      must(Opener13::make(library, {crypto::AeadAlgorithm::aes_128_gcm, key, iv, counted(16)}));
  const auto header = Header13::decode(record);
  ASSERT_TRUE(header);
  const auto opened = opener.open(*header, record, wire::SequenceNumber{0});
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->type, wire::ContentType{0});
  EXPECT_TRUE(opened->contents.empty());

  record.back() ^= std::byte{1};
  EXPECT_FALSE(opener.open(*header, record, wire::SequenceNumber{0})) << "not authentic";
}

}  // namespace
}  // namespace sluice::dtls::record
