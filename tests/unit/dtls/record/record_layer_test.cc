#include "record/record_layer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "support/endpoints.h"
#include "unit/dtls/record/reference_aead.h"

namespace sluice::dtls::record {
namespace {

using crypto::AeadAlgorithm;
using test::counted;
using test::from_hex;
using test::must;
using test::to_hex;
using wire::ContentType;
using wire::kFirstEncryptedEpoch12;
using wire::kPlaintextEpoch;

// The private counters, as 2^48 records can't be sealed in a test: access is not checked in the
// arguments of an explicit instantiation.
struct EncryptedCounter {};
struct PlaintextCounter {};
template <auto Writers>
struct ExposeEncrypted {
  friend std::uint64_t& counter(EncryptedCounter, RecordLayer& records) {
    return (records.*Writers).newest().next;
  }
};
template <auto Next>
struct ExposePlaintext {
  friend std::uint64_t& counter(PlaintextCounter, RecordLayer& records) { return records.*Next; }
};
std::uint64_t& counter(EncryptedCounter, RecordLayer& records);
std::uint64_t& counter(PlaintextCounter, RecordLayer& records);
template struct ExposeEncrypted<&RecordLayer::writers_>;
template struct ExposePlaintext<&RecordLayer::next_plaintext_>;

const Buffer kKey = counted(16);
const Buffer kSalt = from_hex("01020304");

void install(RecordLayer& records) {
  auto& library = test::environment().library();
  const ProtectionKey12 key{AeadAlgorithm::aes_128_gcm, kKey, kSalt};
  records.add_reader12(must(Opener12::make(library, key)));
  records.add_writer12(must(Sealer12::make(library, key)));
}

// What a genuine peer would send.
Buffer sealed(const std::string& number, Bytes plaintext = test::bytes_of("data"),
              const std::string& type = "17") {
  return test::reference_gcm("AES-128-GCM", kKey, kSalt, {.type = type, .number = number},
                             plaintext);
}
std::string number(std::uint64_t sequence) {
  Buffer bytes = from_hex("0001 000000000000");
  wire::store(MutableBytes(bytes).subspan(2), sequence);
  return to_hex(bytes);
}

// The record's contents, or the reason for its discard, in words.
std::string take(RecordLayer& records, MutableBytes& datagram) {
  const auto taken = records.take(datagram);
  if (const auto* reason = std::get_if<Discard>(&taken)) return std::string(to_string(*reason));
  if (const auto* future = std::get_if<FutureRecord>(&taken))
    return "future " + to_hex(future->bytes);
  return to_hex(std::get<Record>(taken).contents);
}
std::string take_all(RecordLayer& records, Buffer datagram) {
  MutableBytes rest(datagram);
  std::string all;
  while (!rest.empty()) all += (all.empty() ? "" : " ") + take(records, rest);
  return all;
}
const std::string kData = to_hex(test::bytes_of("data"));

TEST(RecordLayer, TakesPlaintextRecordsOneByOne) {
  RecordLayer records;
  Buffer datagram =
      from_hex("16 feff 0000 000000000000 0002 aabb 15 fefd 0000 000000000001 0001 cc");
  MutableBytes rest(datagram);
  const auto first = std::get<Record>(records.take(rest));
  EXPECT_EQ(first.type, ContentType::handshake);
  EXPECT_EQ(first.epoch, kPlaintextEpoch);
  EXPECT_EQ(to_hex(first.contents), "aabb");
  EXPECT_EQ(first.contents.data(), datagram.data() + 13) << "in place";
  const auto second = std::get<Record>(records.take(rest));
  EXPECT_EQ(second.type, ContentType::alert);
  EXPECT_EQ(to_hex(second.contents), "cc");
  EXPECT_TRUE(rest.empty());
}

// RFC 6347 section 4.1.2.7: invalid records are discarded, and the next one taken.
TEST(RecordLayer, ARecordWithoutAnEndTakesTheRestWithIt) {
  const std::string good = "16 fefd 0000 000000000000 0001 aa";
  for (const auto* const bad :
       {"16", "16 fefd 0000 000000000000 00", "16 fefd 0000 000000000000 0001",
        "16 fefd 0000 000000000000 ffff aa"}) {
    RecordLayer records;
    EXPECT_EQ(take_all(records, from_hex(good + bad)), "aa malformed_record") << bad;
  }
}

// Those that are kept lie one after another.
TEST(RecordLayer, ARecordThatWaitsForItsKeysHasALength) {
  RecordLayer records;
  EXPECT_EQ(take_all(records, from_hex("2e 0102 0003 aabbcc")), "future 2e01020003aabbcc");
  EXPECT_EQ(take_all(records, from_hex("2a 0102 aabbcc")), "unknown_epoch");
}

TEST(RecordLayer, KnowsItsVersions) {
  RecordLayer records;
  const auto with_version = [&](const std::string& version) {
    return take_all(records, from_hex("16" + version + "0000 000000000000 0001 aa" +
                                      "16 fefd 0000 000000000000 0001 bb"));
  };
  // Any DTLS version will do in plaintext (RFC 5246 appendix E.1).
  for (const auto* const version : {"fefd", "feff", "fefc", "fefe", "fe00"}) {
    EXPECT_EQ(with_version(version), "aa bb") << version;
  }
  for (const auto* const version : {"fdfd", "0303", "0100", "ffff", "0000"}) {
    EXPECT_EQ(with_version(version), "unknown_version bb") << version;
  }
}

TEST(RecordLayer, EncryptedRecordsSayDtls12) {
  RecordLayer records;
  install(records);
  const Buffer says_10 = test::reference_gcm(
      "AES-128-GCM", kKey, kSalt, {.version = "feff", .number = number(0)}, test::bytes_of("data"));
  EXPECT_EQ(take_all(records, says_10), "unknown_version");
  EXPECT_EQ(take_all(records, sealed(number(0))), kData);
}

// RFC 5246 section 6.2: 2^14 of plaintext, 2^14 + 2048 of ciphertext.
TEST(RecordLayer, PlaintextRecordsHaveALimit) {
  RecordLayer records;
  const auto of_size = [](std::size_t size) {
    return test::join({from_hex("16 fefd 0000 000000000000"), test::length16(size), Buffer(size),
                       from_hex("16 fefd 0000 000000000001 0001 aa")});
  };
  EXPECT_TRUE(take_all(records, of_size(16384)).ends_with("00 aa"));
  EXPECT_EQ(take_all(records, of_size(16385)), "malformed_record aa");
}

TEST(RecordLayer, EncryptedRecordsHaveALimit) {
  RecordLayer records;
  install(records);
  EXPECT_EQ(take_all(records, sealed(number(0), Buffer(16384))).size(), 2 * 16384U);
  const Buffer too_long =
      test::join({from_hex("17 fefd 0001 000000000001"), test::length16(18433), Buffer(18433)});
  EXPECT_EQ(take_all(records, too_long), "malformed_record");
}

// It may have overtaken the messages that make its key, and is handed out whole to be kept (RFC
// 6347 section 4.1: implementations may buffer it).
TEST(RecordLayer, WithoutKeysAnEncryptedRecordIsOfTheFuture) {
  RecordLayer records;
  const Buffer record = sealed(number(0));
  EXPECT_EQ(take_all(records, record), "future " + to_hex(record));
  EXPECT_FALSE(records.peer_encrypts());
  EXPECT_EQ(take_all(records, sealed("0002 000000000000")), "unknown_epoch");
  install(records);
  EXPECT_EQ(take_all(records, record), kData);
}

TEST(RecordLayer, KnowsOneEncryptedEpoch) {
  RecordLayer records;
  install(records);
  EXPECT_EQ(take_all(records, sealed("0002 000000000000")), "unknown_epoch");
  EXPECT_EQ(take_all(records, sealed("ffff 000000000000")), "unknown_epoch");
  EXPECT_EQ(take_all(records, sealed(number(0))), kData);
}

TEST(RecordLayer, PlaintextIsOverWhenTold) {
  RecordLayer records;
  install(records);
  const Buffer plain = from_hex("16 fefd 0000 000000000000 0001 aa");
  EXPECT_EQ(take_all(records, plain), "aa");
  records.stop_reading_plaintext();
  EXPECT_EQ(take_all(records, plain), "unknown_epoch");
  EXPECT_EQ(take_all(records, sealed(number(0))), kData);
}

// They would wait for keys that never come.
TEST(RecordLayer, RecordsOfDtls13AreUnknownWhere12IsSpoken) {
  RecordLayer records;
  EXPECT_EQ(take_all(records, from_hex("24 00 0001 aa")), "future 24000001aa");
  install(records);
  EXPECT_EQ(take_all(records, from_hex("24 00 0001 aa")), "unknown_epoch");
}

TEST(RecordLayer, ARecordIsTakenOnce) {
  RecordLayer records;
  install(records);
  EXPECT_EQ(take_all(records, sealed(number(1000))), kData);
  EXPECT_EQ(take_all(records, sealed(number(1000))), "replayed");
  EXPECT_EQ(take_all(records, sealed(number(1000 - (ReplayWindow::kDefaultSize - 1)))), kData)
      << "the window's last place";
  EXPECT_EQ(take_all(records, sealed(number(1000 - ReplayWindow::kDefaultSize))), "replayed")
      << "older than the window";
  EXPECT_EQ(take_all(records, sealed(number(wire::kMaxSequenceNumber))), kData);
}

// RFC 6347 section 4.1.2.6: only a record that is new proceeds to verification. A forgery with a
// number that was used costs no decryption and does not count towards the limit of forgeries.
TEST(RecordLayer, AForgedRepetitionIsNotOpened) {
  RecordLayer records;
  install(records);
  EXPECT_EQ(take_all(records, sealed(number(5))), kData);
  Buffer forged = sealed(number(5));
  forged.back() ^= std::byte{1};
  EXPECT_EQ(take_all(records, forged), "replayed");
}

// The window moves only after a record has authenticated (RFC 6347 section 4.1.2.6).
TEST(RecordLayer, AForgedNumberMovesNothing) {
  RecordLayer records;
  install(records);
  EXPECT_EQ(take_all(records, sealed(number(5))), kData);
  Buffer forged = sealed(number(wire::kMaxSequenceNumber));
  forged.back() ^= std::byte{1};
  EXPECT_EQ(take_all(records, forged), "authentication_failed");
  EXPECT_EQ(take_all(records, sealed(number(6))), kData);
  // A forged copy must not use up the genuine one's place either.
  Buffer early = sealed(number(7));
  early.back() ^= std::byte{1};
  EXPECT_EQ(take_all(records, early), "authentication_failed");
  EXPECT_EQ(take_all(records, sealed(number(7))), kData);
}

// Whether each record is the newest that has authenticated.
std::vector<bool> newest(RecordLayer& records, std::initializer_list<std::uint64_t> numbers) {
  std::vector<bool> all;
  for (const std::uint64_t sequence : numbers) {
    Buffer datagram = sealed(number(sequence));
    MutableBytes rest(datagram);
    all.push_back(std::get<Record>(records.take(rest)).is_newest);
  }
  return all;
}

// RFC 9146 section 6: only that one says where the peer is.
TEST(RecordLayer, KnowsTheNewestRecord) {
  RecordLayer records;
  install(records);
  EXPECT_EQ(newest(records, {3, 5, 4, 6, 0}), (std::vector{true, true, false, true, false}));
  Buffer forged = sealed(number(100));
  forged.back() ^= std::byte{1};
  EXPECT_EQ(take_all(records, forged), "authentication_failed");
  EXPECT_EQ(newest(records, {7}), std::vector{true}) << "a forgery isn't newer";
}

TEST(RecordLayer, NothingInPlaintextIsNewest) {
  RecordLayer records;
  Buffer datagram = from_hex("16 fefd 0000 000000000005 0001 aa");
  MutableBytes rest(datagram);
  EXPECT_FALSE(std::get<Record>(records.take(rest)).is_newest);
}

TEST(RecordLayer, ARepetitionThatIsAllowedIsNotNewest) {
  RecordLayer records(0, 0);
  install(records);
  EXPECT_EQ(newest(records, {3, 3}), (std::vector{true, false}));
}

// Of DTLS 1.3: two epochs may be read at a time.
TEST(RecordLayer, ARecordOfALaterEpochIsNewer) {
  auto& library = test::environment().library();
  const auto make_key = [](std::size_t first) {
    Buffer key = counted(16);
    key.front() = std::byte{static_cast<std::uint8_t>(first)};
    return key;
  };
  RecordLayer sender;
  RecordLayer receiver;
  for (const std::uint64_t epoch : {3U, 4U}) {
    const Buffer key = make_key(epoch);
    const Buffer iv = counted(12);
    const Buffer mask = counted(16);
    const ProtectionKey13 protection{AeadAlgorithm::aes_128_gcm, key, iv, mask};
    sender.add_writer(wire::Epoch{epoch}, must(Sealer13::make(library, protection)));
    receiver.add_reader(wire::Epoch{epoch}, must(Opener13::make(library, protection)));
  }
  const auto is_newest = [&](std::uint64_t epoch) {
    Buffer out(100);
    const auto size =
        sender.seal(wire::Epoch{epoch}, ContentType::application_data, test::bytes_of("data"), out);
    MutableBytes rest = MutableBytes(out).first(size.value());
    return std::get<Record>(receiver.take(rest)).is_newest;
  };
  EXPECT_TRUE(is_newest(3)) << "nothing has come under the later keys";
  EXPECT_TRUE(is_newest(3));
  EXPECT_TRUE(is_newest(4));
  EXPECT_FALSE(is_newest(3));
  EXPECT_TRUE(is_newest(4));
}

TEST(RecordLayer, AChangedHeaderDoesNotAuthenticate) {
  const auto with = [](std::size_t at, std::byte value) {
    RecordLayer records;
    install(records);
    Buffer record = sealed(number(1));
    EXPECT_NE(record[at], value);
    record[at] = value;
    const std::string outcome = take_all(records, record);
    EXPECT_FALSE(records.peer_encrypts());
    EXPECT_EQ(take_all(records, sealed(number(1))), kData) << "the genuine one is still good";
    return outcome;
  };
  EXPECT_EQ(with(0, std::byte{22}), "authentication_failed") << "type";
  EXPECT_EQ(with(1, std::byte{0xfd}), "unknown_version");
  EXPECT_EQ(with(4, std::byte{2}), "unknown_epoch");
  EXPECT_EQ(with(10, std::byte{3}), "authentication_failed") << "sequence number";
  EXPECT_EQ(with(12, std::byte{29}), "malformed_record") << "length";
  EXPECT_EQ(with(13 + 7, std::byte{3}), "authentication_failed") << "explicit nonce";
  EXPECT_EQ(with(13 + 8, std::byte{0xff}), "authentication_failed") << "ciphertext";
}

// With epoch 0 in the header the ciphertext would be taken for plaintext of a handshake.
TEST(RecordLayer, AChangedEpochDoesNotOpenTheOldDoor) {
  RecordLayer records;
  install(records);
  records.stop_reading_plaintext();
  Buffer record = sealed(number(1));
  record[4] = std::byte{0};
  EXPECT_EQ(take_all(records, record), "unknown_epoch");
}

// An AEAD record shorter than explicit nonce and tag.
TEST(RecordLayer, AShortRecordIsDropped) {
  RecordLayer records;
  install(records);
  for (std::size_t size = 0; size < 8 + 16; ++size) {
    const Buffer record =
        test::join({from_hex("15 fefd" + number(1)), test::length16(size), Buffer(size)});
    EXPECT_EQ(take_all(records, record), "authentication_failed") << size;
  }
  EXPECT_EQ(take_all(records, sealed(number(1), {})), "") << "an empty one is no short one";
}

TEST(RecordLayer, KnowsWhenThePeerEncrypts) {
  RecordLayer records;
  install(records);
  EXPECT_FALSE(records.peer_encrypts());
  take_all(records, from_hex("16 fefd 0000 000000000000 0001 aa"));
  EXPECT_FALSE(records.peer_encrypts());
  take_all(records, sealed(number(0)));
  EXPECT_TRUE(records.peer_encrypts());
}

TEST(RecordLayer, CountsTheRecordsItSeals) {
  RecordLayer records;
  Buffer out(100);
  const auto seal = [&](wire::Epoch epoch, ContentType type) {
    const auto size = records.seal(epoch, type, test::bytes_of("data"), out);
    return size ? to_hex(Bytes(out).first(*size)) : std::string("none");
  };
  EXPECT_EQ(seal(kPlaintextEpoch, ContentType::handshake),
            "16feff0000000000000000"
            "0004" +
                kData);
  records.set_version(ProtocolVersion::dtls12);
  EXPECT_EQ(seal(kPlaintextEpoch, ContentType::alert),
            "15fefd0000000000000001"
            "0004" +
                kData);
  EXPECT_EQ(seal(kFirstEncryptedEpoch12, ContentType::alert), "none") << "there is no key yet";
  install(records);
  EXPECT_EQ(seal(kFirstEncryptedEpoch12, ContentType::application_data), to_hex(sealed(number(0))));
  EXPECT_EQ(seal(kFirstEncryptedEpoch12, ContentType::alert),
            to_hex(sealed(number(1), test::bytes_of("data"), "15")));
  EXPECT_EQ(seal(kPlaintextEpoch, ContentType::handshake),
            "16fefd0000000000000002"
            "0004" +
                kData);
}

TEST(RecordLayer, WritesNothingIntoTooSmallABuffer) {
  RecordLayer records;
  install(records);
  for (const auto epoch : {kPlaintextEpoch, kFirstEncryptedEpoch12}) {
    Buffer out(records.size_of(epoch).overhead() + 3, std::byte{0x11});
    EXPECT_FALSE(records.seal(epoch, ContentType::alert, test::bytes_of("data"), out));
    EXPECT_EQ(out, Buffer(out.size(), std::byte{0x11}));
  }
  EXPECT_FALSE(records.seal(kPlaintextEpoch, ContentType::alert, {}, {}));
}

// A suite whose records may be shorter than head and tail together, and which protects nothing.
class ShortRecords final : public RecordProtection12 {
 public:
  static constexpr RecordRoom12 kRoom{0, 48};

  std::optional<std::size_t> seal(RecordNumber12 /*number*/, AdditionalData12 /*additional_data*/,
                                  Bytes plaintext, MutableBytes out) override {
    std::ranges::copy(plaintext, out.begin());
    return plaintext.size();
  }
  std::optional<MutableBytes> open(RecordNumber12 /*number*/, AdditionalData12 /*additional_data*/,
                                   MutableBytes fragment) override {
    return fragment;
  }
};

TEST(RecordLayer, AColdOneAsksForCiphersForTheShortestRecord) {
  RecordLayer records;
  records.set_version(ProtocolVersion::dtls12);
  records.add_reader12(Opener12({std::make_unique<ShortRecords>(), ShortRecords::kRoom}));
  records.add_writer12(Sealer12({std::make_unique<ShortRecords>(), ShortRecords::kRoom}));
  records.cool();
  Buffer datagram = from_hex("17 fefd 0001 000000000000 0004");
  const Bytes data = test::bytes_of("data");
  datagram.insert(datagram.end(), data.begin(), data.end());
  MutableBytes rest(datagram);
  EXPECT_TRUE(std::holds_alternative<NeedsCiphers>(records.take(rest)));
  EXPECT_EQ(rest.size(), datagram.size());
  records.warm_up(Opener12({std::make_unique<ShortRecords>(), ShortRecords::kRoom}),
                  Sealer12({std::make_unique<ShortRecords>(), ShortRecords::kRoom}));
  EXPECT_EQ(take(records, rest), kData);
}

TEST(RecordLayer, PlaintextHasALimitOfItsOwn) {
  RecordLayer records;
  records.set_version(ProtocolVersion::dtls12);
  install(records);
  EXPECT_EQ(records.max_received(kPlaintextEpoch), kMaxPlaintext);
  EXPECT_EQ(records.size_of(kPlaintextEpoch).max_contents(), kMaxPlaintext);
  records.set_content_limits({.sent = 200, .received = 300, .plaintext = 4});
  EXPECT_EQ(records.max_received(kPlaintextEpoch), kMaxPlaintext);
  EXPECT_EQ(records.size_of(kPlaintextEpoch).max_contents(), 4U);
  EXPECT_EQ(records.max_received(kFirstEncryptedEpoch12), 300U);
  EXPECT_EQ(records.size_of(kFirstEncryptedEpoch12).max_contents(), 200U);
  EXPECT_EQ(take_all(records, from_hex("16 fefd 0000 000000000000 0004 aabbccdd")), "aabbccdd");
  EXPECT_EQ(take_all(records, from_hex("16 fefd 0000 000000000001 0005 aabbccddee")), "aabbccddee")
      << "a hello that was made before";
  records.set_content_limits({.sent = 200, .received = 300});
  EXPECT_EQ(records.size_of(kPlaintextEpoch).max_contents(), kMaxPlaintext);
}

TEST(RecordLayer, OverheadIsWhatSealingAdds) {
  RecordLayer records;
  install(records);
  Buffer out(200);
  for (const auto epoch : {kPlaintextEpoch, kFirstEncryptedEpoch12}) {
    const auto size = records.seal(epoch, ContentType::application_data, counted(50), out);
    EXPECT_EQ(size, 50 + records.size_of(epoch).overhead());
  }
  EXPECT_EQ(records.size_of(kPlaintextEpoch).head(), 13U);
  EXPECT_EQ(records.size_of(kFirstEncryptedEpoch12).head(), 13U + 8U);
}

// RFC 6347 section 4.1: sequence numbers must not wrap within an epoch.
TEST(RecordLayer, ItsNumbersEnd) {
  RecordLayer records;
  install(records);
  Buffer out(100);
  const auto seal = [&](wire::Epoch epoch) {
    return records.seal(epoch, ContentType::application_data, test::bytes_of("data"), out);
  };
  counter(EncryptedCounter{}, records) = wire::kMaxSequenceNumber;
  EXPECT_FALSE(records.exhausted(kFirstEncryptedEpoch12));
  ASSERT_TRUE(seal(kFirstEncryptedEpoch12));
  EXPECT_EQ(to_hex(Bytes(out).subspan(3, 8)), "0001ffffffffffff");
  EXPECT_TRUE(records.exhausted(kFirstEncryptedEpoch12));
  EXPECT_FALSE(seal(kFirstEncryptedEpoch12));
  EXPECT_FALSE(seal(kFirstEncryptedEpoch12)) << "and stay so";
  // The other epoch counts for itself.
  EXPECT_FALSE(records.exhausted(kPlaintextEpoch));
  EXPECT_TRUE(seal(kPlaintextEpoch));
  counter(PlaintextCounter{}, records) = wire::kMaxSequenceNumber + 1;
  EXPECT_TRUE(records.exhausted(kPlaintextEpoch));
  EXPECT_FALSE(seal(kPlaintextEpoch));
}

TEST(RecordLayer, TwoLayersUnderstandEachOther) {
  RecordLayer sender;
  RecordLayer receiver;
  install(sender);
  sender.set_version(ProtocolVersion::dtls12);
  install(receiver);
  Buffer datagram;
  for (int i = 0; i < 3; ++i) {
    Buffer out(200);
    const auto size =
        sender.seal(kFirstEncryptedEpoch12, ContentType::application_data, counted(8), out);
    ASSERT_TRUE(size);
    datagram.insert(datagram.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*size));
  }
  const std::string one = to_hex(counted(8));
  EXPECT_EQ(take_all(receiver, datagram), one + " " + one + " " + one);
  EXPECT_EQ(take_all(receiver, datagram), "replayed replayed replayed");
}

}  // namespace
}  // namespace sluice::dtls::record
