// Records with connection IDs in both versions (RFC 9146 sections 3 to 5, RFC 9147 section 4).
#include "record/record_layer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

#include "crypto/hmac.h"
#include "record/cbc_protection12.h"
#include "support/endpoints.h"
#include "unit/dtls/record/reference_aead.h"

namespace sluice::dtls::record {
namespace {

using crypto::AeadAlgorithm;
using test::bytes_of;
using test::counted;
using test::from_hex;
using test::join;
using test::must;
using test::to_hex;
using wire::ContentType;
using wire::Epoch;
using wire::kFirstApplicationEpoch13;
using wire::kFirstEncryptedEpoch12;

const Buffer kOwnId = from_hex("a0a1a2a3a4a5a6a7");
const Buffer kPeersId = from_hex("b0b1b2");
const std::string kDataInHex = to_hex(bytes_of("data"));

// How records are protected: the version, and in DTLS 1.2 the kind of suite.
enum class Protection : std::uint8_t { aead12, chacha12, cbc12, own12, aead13, ccm8_13 };

constexpr bool is13(Protection protection) { return protection >= Protection::aead13; }

// A suite of an application: its tag is the sum of all that it authenticates.
class SumProtection final : public RecordProtection12 {
 public:
  static constexpr RecordRoom12 kRoom{0, 1};

  std::optional<std::size_t> seal(RecordNumber12 /*number*/, AdditionalData12 data, Bytes plaintext,
                                  MutableBytes out) override {
    std::memmove(out.data(), plaintext.data(), plaintext.size());
    out[plaintext.size()] = sum(data, plaintext);
    return plaintext.size() + 1;
  }
  std::optional<MutableBytes> open(RecordNumber12 /*number*/, AdditionalData12 data,
                                   MutableBytes fragment) override {
    if (fragment.empty()) return std::nullopt;
    const MutableBytes plaintext = fragment.first(fragment.size() - 1);
    return sum(data, plaintext) == fragment.back() ? std::optional(plaintext) : std::nullopt;
  }

 private:
  static std::byte sum(AdditionalData12 data, Bytes plaintext) {
    unsigned sum = 0;
    for (const Bytes part : {data.with_length(plaintext.size()), plaintext}) {
      for (const std::byte byte : part) sum = 31 * sum + std::to_integer<unsigned>(byte);
    }
    return static_cast<std::byte>(sum % 251);
  }
};

OwnProtection12 own_protection(Protection protection, crypto::AesCbc::Direction direction) {
  if (protection == Protection::own12) {
    return {std::make_unique<SumProtection>(), SumProtection::kRoom, true};
  }
  static const Buffer kAesKey = counted(16);
  static const Buffer kMacKey = counted(32);
  auto cbc = must(CbcProtection12::make(test::environment().library(), direction,
                                        {.mac_key = kMacKey, .key = kAesKey, .iv = {}}));
  return {std::move(cbc), CbcProtection12::kRoom, true};
}

class RecordsWithIds : public testing::TestWithParam<Protection> {
 protected:
  static Epoch epoch() {
    return is13(GetParam()) ? kFirstApplicationEpoch13 : kFirstEncryptedEpoch12;
  }
  static void install(RecordLayer& records) {
    records.set_version(ProtocolVersion::dtls12);
    auto& library = test::environment().library();
    const bool is_chacha = GetParam() == Protection::chacha12;
    const Buffer key = counted(is_chacha ? 32 : 16);
    const Buffer iv = counted(is_chacha || is13(GetParam()) ? 12 : 4);
    const Buffer sn_key = counted(16);
    const auto aead = is_chacha                           ? AeadAlgorithm::chacha20_poly1305
                      : GetParam() == Protection::ccm8_13 ? AeadAlgorithm::aes_128_ccm_8
                                                          : AeadAlgorithm::aes_128_gcm;
    if (is13(GetParam())) {
      records.add_reader(epoch(), must(Opener13::make(library, {aead, key, iv, sn_key})));
      records.add_writer(epoch(), must(Sealer13::make(library, {aead, key, iv, sn_key})));
    } else if (GetParam() == Protection::aead12 || is_chacha) {
      records.add_reader12(must(Opener12::make(library, {aead, key, iv})));
      records.add_writer12(must(Sealer12::make(library, {aead, key, iv})));
    } else {
      records.add_reader12(
          Opener12(own_protection(GetParam(), crypto::AesCbc::Direction::decrypt)));
      records.add_writer12(
          Sealer12(own_protection(GetParam(), crypto::AesCbc::Direction::encrypt)));
    }
    records.start_encrypting();
  }
  static RecordLayer with_ids(Bytes own, Bytes peers, std::size_t padding = 0,
                              std::size_t window = ReplayWindow::kDefaultSize) {
    RecordLayer records(padding, window);
    install(records);
    records.set_connection_ids(own, peers);
    return records;
  }
  static Buffer seal(RecordLayer& records, Bytes contents = bytes_of("data"),
                     ContentType type = ContentType::application_data) {
    Buffer out(contents.size() + 1000);
    const auto size = records.seal(epoch(), type, contents, out);
    EXPECT_TRUE(size);
    out.resize(size.value_or(0));
    return out;
  }
  // The contents or the reason for a discard, record by record.
  static std::string take(RecordLayer& records, Buffer datagram) {
    std::string all;
    records.begin_datagram();
    for (MutableBytes rest(datagram); !rest.empty();) {
      const auto taken = records.take(rest);
      all += all.empty() ? "" : " ";
      if (const auto* reason = std::get_if<Discard>(&taken)) {
        all += to_string(*reason);
      } else if (std::holds_alternative<FutureRecord>(taken)) {
        all += "future";
      } else {
        all += to_hex(std::get<Record>(taken).contents);
      }
    }
    return all;
  }
};

TEST_P(RecordsWithIds, CarryTheIdThatTheReceiverAskedFor) {
  for (const std::size_t size : {1U, 8U, 255U}) {
    const Buffer id = counted(size);
    RecordLayer sender = with_ids({}, id);
    RecordLayer receiver = with_ids(id, {});
    const Buffer record = seal(sender);
    const std::size_t at = is13(GetParam()) ? 1 : 11;
    EXPECT_EQ(to_hex(Bytes(record).subspan(at, size)), to_hex(id));
    EXPECT_EQ(record.front(), is13(GetParam()) ? std::byte{0x3f} : std::byte{25});
    EXPECT_EQ(take(receiver, record), kDataInHex) << size;
    EXPECT_EQ(take(receiver, record), "replayed");
  }
}

// The content type is inside.
TEST_P(RecordsWithIds, KeepTheTypeOfTheirContents) {
  RecordLayer sender = with_ids({}, kOwnId);
  RecordLayer receiver = with_ids(kOwnId, {});
  for (const auto type :
       {ContentType::alert, ContentType::handshake, ContentType::application_data}) {
    Buffer record = seal(sender, bytes_of("data"), type);
    MutableBytes rest(record);
    const auto taken = receiver.take(rest);
    ASSERT_TRUE(std::holds_alternative<Record>(taken));
    EXPECT_EQ(std::get<Record>(taken).type, type);
    EXPECT_EQ(std::get<Record>(taken).epoch, epoch());
  }
}

// RFC 9146 section 3, RFC 9147 section 9: neither without, nor with another, nor unasked.
TEST_P(RecordsWithIds, AreDiscardedWithoutTheIdThatIsExpected) {
  RecordLayer asks = with_ids(kOwnId, {});
  RecordLayer asks_not = with_ids({}, kPeersId);
  RecordLayer knows_none;
  install(knows_none);
  RecordLayer without = with_ids({}, {});
  RecordLayer another = with_ids({}, from_hex("a0a1a2a3a4a5a6a8"));
  RecordLayer right = with_ids({}, kOwnId);
  EXPECT_EQ(take(asks, seal(without)), "wrong_connection_id");
  EXPECT_EQ(take(asks, seal(another)), "wrong_connection_id");
  EXPECT_EQ(take(asks, seal(right)), kDataInHex);
  for (RecordLayer* side : {&asks_not, &knows_none}) {
    const std::string outcome = take(*side, seal(right));
    EXPECT_TRUE(outcome == "malformed_record" || outcome == "wrong_connection_id") << outcome;
    EXPECT_EQ(take(*side, seal(without)), kDataInHex) << "the window has not moved";
  }
}

// RFC 9146 section 4: "The CID field is present and contains one or more bytes".
TEST_P(RecordsWithIds, TheirTypeNeedsAnId) {
  if (is13(GetParam())) GTEST_SKIP() << "only DTLS 1.2 has the type";
  RecordLayer sender = with_ids({}, {});
  for (const Bytes own : {Bytes{}, Bytes(kOwnId)}) {
    RecordLayer receiver = with_ids(own, {});
    const std::string outcome = take(receiver, seal(sender, bytes_of("data"), kTls12Cid));
    EXPECT_TRUE(outcome == "malformed_record" || outcome == "wrong_connection_id") << outcome;
  }
}

// RFC 9147 section 4.
TEST_P(RecordsWithIds, TheRestOfADatagramGoesWithAWrongId) {
  RecordLayer receiver = with_ids(kOwnId, {});
  RecordLayer right = with_ids({}, kOwnId);
  RecordLayer another = with_ids({}, from_hex("a0a1a2a3a4a5a6a8"));
  const Buffer first = seal(right);
  const Buffer last = seal(right);
  EXPECT_EQ(take(receiver, join({first, seal(another), last})),
            kDataInHex + " wrong_connection_id");
  EXPECT_EQ(take(receiver, last), kDataInHex);
}

// RFC 9147 section 4 requires the ID in each datagram; RFC 9146 section 3 in each record.
TEST_P(RecordsWithIds, LaterRecordsOfADatagramMayLackItInDtls13) {
  RecordLayer receiver = with_ids(kOwnId, {});
  RecordLayer sender = with_ids({}, kOwnId);
  const Buffer first = seal(sender);
  sender.set_connection_ids({}, {});
  const Buffer second = seal(sender);
  EXPECT_EQ(take(receiver, join({first, second})),
            kDataInHex + " " + (is13(GetParam()) ? kDataInHex : "wrong_connection_id"));
}

TEST_P(RecordsWithIds, TheIdIsAuthenticated) {
  RecordLayer receiver = with_ids(kOwnId, {});
  Buffer record = [] {
    RecordLayer sender = with_ids({}, from_hex("a0a1a2a3a4a5a6a8"));
    return seal(sender);
  }();
  record[(is13(GetParam()) ? 1 : 11) + 7] = kOwnId.back();
  EXPECT_EQ(take(receiver, record), "authentication_failed");
}

TEST_P(RecordsWithIds, PaddingIsHiddenAndStripped) {
  RecordLayer sender = with_ids({}, kOwnId, 64);
  RecordLayer receiver = with_ids(kOwnId, {});
  const Buffer shortest = seal(sender, {});
  for (const std::size_t size : {1U, 30U, 63U}) {
    const Buffer record = seal(sender, counted(size));
    EXPECT_EQ(record.size(), shortest.size()) << size;
    EXPECT_EQ(take(receiver, record), to_hex(counted(size)));
  }
  EXPECT_GT(seal(sender, counted(64)).size(), shortest.size());
}

// What size_of() says is enough for any contents, and all that AEADs need.
TEST_P(RecordsWithIds, SizesIncludeTheId) {
  RecordLayer sender = with_ids({}, kOwnId);
  const RecordSize size = sender.size_of(epoch());
  for (std::size_t contents = 0; contents < 40; ++contents) {
    Buffer out(size.overhead() + contents);
    if (GetParam() == Protection::ccm8_13) out.resize(size.unpadded(contents));
    const auto sealed = sender.seal(epoch(), ContentType::application_data, counted(contents), out);
    ASSERT_TRUE(sealed) << contents;
    EXPECT_LE(*sealed, size.unpadded(contents));
    if (GetParam() != Protection::cbc12) {
      EXPECT_EQ(*sealed, size.unpadded(contents));
    }
    out.pop_back();
    if (GetParam() != Protection::ccm8_13) {
      EXPECT_FALSE(sender.seal(epoch(), ContentType::application_data, counted(contents), out));
    }
  }
}

// Contents may lie where their ciphertext will.
TEST_P(RecordsWithIds, AreSealedInPlace) {
  RecordLayer sender = with_ids({}, kOwnId);
  RecordLayer receiver = with_ids(kOwnId, {});
  Buffer out(200);
  const Buffer contents = counted(50);
  const std::size_t head = sender.size_of(epoch()).head();
  std::ranges::copy(contents, out.begin() + static_cast<std::ptrdiff_t>(head));
  const auto size =
      sender.seal(epoch(), ContentType::application_data, Bytes(out).subspan(head, 50), out);
  ASSERT_TRUE(size);
  out.resize(*size);
  EXPECT_EQ(take(receiver, out), to_hex(contents));
}

// RFC 9146 section 5: "The length MUST NOT exceed 2^14", type and padding included.
TEST_P(RecordsWithIds, TheTypeCountsAgainstTheLargestRecord) {
  const std::size_t most = is13(GetParam()) ? kMaxPlaintext : kMaxPlaintext - 1;
  RecordLayer sender = with_ids({}, kOwnId);
  RecordLayer receiver = with_ids(kOwnId, {});
  EXPECT_EQ(sender.size_of(epoch()).max_contents(), most);
  EXPECT_EQ(receiver.max_received(epoch()), most);
  EXPECT_EQ(take(receiver, seal(sender, counted(most))), to_hex(counted(most)));
  Buffer record = seal(sender, counted(most + 1));
  MutableBytes rest(record);
  const auto taken = receiver.take(rest);
  ASSERT_TRUE(std::holds_alternative<Record>(taken));
  EXPECT_GT(std::get<Record>(taken).contents.size(), most) << "which the connection refuses";
}

// RFC 8449 section 4: what the peer takes counts type and padding. Whether a peer of DTLS 1.2
// counts them is not said there, so this side takes one byte more than it should have to.
TEST_P(RecordsWithIds, TheTypeCountsAgainstARecordSizeLimit) {
  RecordLayer records = with_ids(kOwnId, kPeersId, 64);
  const std::size_t inner = is13(GetParam()) ? 1 : 0;
  records.set_content_limits({.sent = static_cast<std::uint16_t>(100 - inner),
                              .received = static_cast<std::uint16_t>(100 - inner)});
  EXPECT_EQ(records.size_of(epoch()).max_contents(), 99U);
  EXPECT_EQ(records.max_received(epoch()), 100U - inner);
}

// What comes before its keys waits with its ID, or without one as long as nothing is agreed.
TEST_P(RecordsWithIds, WaitForTheirKeys) {
  RecordLayer client;
  client.set_connection_ids(kOwnId, {});
  RecordLayer right = with_ids({}, kOwnId);
  RecordLayer without = with_ids({}, {});
  RecordLayer another = with_ids({}, from_hex("a0a1a2a3a4a5a6a8"));
  EXPECT_EQ(take(client, seal(right)), "future");
  EXPECT_EQ(take(client, seal(without)), "future");
  EXPECT_EQ(take(client, seal(another)), "wrong_connection_id");
}

// Without a replay window application data is taken again, and nothing else.
TEST_P(RecordsWithIds, OnlyDataIsTakenAgainWithoutAReplayWindow) {
  RecordLayer sender = with_ids({}, kOwnId);
  RecordLayer receiver = with_ids(kOwnId, {}, 0, 0);
  const Buffer data = seal(sender);
  EXPECT_EQ(take(receiver, data), kDataInHex);
  EXPECT_EQ(take(receiver, data), kDataInHex);
  const Buffer alert = seal(sender, from_hex("0100"), ContentType::alert);
  EXPECT_EQ(take(receiver, alert), "0100");
  EXPECT_EQ(take(receiver, alert), "replayed");
}

// The shortest record that may be authentic warms a cold connection up.
TEST_P(RecordsWithIds, AColdConnectionKnowsTheShortestRecord) {
  RecordLayer sender = with_ids({}, kOwnId);
  RecordLayer receiver = with_ids(kOwnId, kPeersId);
  receiver.cool();
  Buffer shortest = seal(sender, {});
  MutableBytes rest(shortest);
  EXPECT_TRUE(std::holds_alternative<NeedsCiphers>(receiver.take(rest)));
}

std::string name_of(const testing::TestParamInfo<Protection>& info) {
  switch (info.param) {
    case Protection::aead12:
      return "Aead12";
    case Protection::chacha12:
      return "ChaCha12";
    case Protection::cbc12:
      return "Cbc12";
    case Protection::own12:
      return "Own12";
    case Protection::aead13:
      return "Aead13";
    case Protection::ccm8_13:
      return "Ccm8Of13";
  }
  return "unknown";
}

INSTANTIATE_TEST_SUITE_P(All, RecordsWithIds,
                         testing::Values(Protection::aead12, Protection::chacha12,
                                         Protection::cbc12, Protection::own12, Protection::aead13,
                                         Protection::ccm8_13),
                         name_of);

// RFC 9146 section 5.2: what the MAC of encrypt-then-MAC covers.
TEST(CbcWithIds, AuthenticatesWhatTheRfcSays) {
  const Buffer mac_key = counted(32);
  auto sealer =
      must(CbcProtection12::make(test::environment().library(), crypto::AesCbc::Direction::encrypt,
                                 {.mac_key = mac_key, .key = counted(16), .iv = {}}));
  RecordLayer records;
  records.set_version(ProtocolVersion::dtls12);
  records.add_writer12(Sealer12(OwnProtection12{std::move(sealer), CbcProtection12::kRoom, true}));
  records.set_connection_ids({}, kOwnId);
  Buffer record(200);
  record.resize(
      records.seal(kFirstEncryptedEpoch12, ContentType::application_data, bytes_of("data"), record)
          .value());
  const Bytes fragment = Bytes(record).subspan(13 + kOwnId.size());
  const Bytes encrypted = fragment.first(fragment.size() - CbcProtection12::kMacSize);
  auto hmac =
      must(crypto::Hmac::with_key(test::environment().library(), HashAlgorithm::sha256, mac_key));
  const auto mac = must(hmac.compute({from_hex("ffffffffffffffff 19 08 19 fefd 0001 000000000000"),
                                      kOwnId, test::length16(encrypted.size()), encrypted}));
  EXPECT_EQ(to_hex(fragment.last(CbcProtection12::kMacSize)), to_hex(mac.bytes()));
}

}  // namespace
}  // namespace sluice::dtls::record
