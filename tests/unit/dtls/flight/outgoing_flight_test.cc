#include "flight/outgoing_flight.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "flight/reassembler.h"
#include "support/endpoints.h"
#include "unit/dtls/flight/fragments.h"

namespace sluice::dtls::flight {
namespace {

using test::counted;
using test::must;
using test::to_hex;
using wire::ContentType;
using wire::HandshakeType;
using wire::kFirstEncryptedEpoch12;
using wire::kPlaintextEpoch;

// Two ends with the same keys.
struct Ends {
  Ends() {
    const Buffer key = counted(16);
    const Buffer salt = counted(4);
    const record::ProtectionKey12 protection{crypto::AeadAlgorithm::aes_128_gcm, key, salt};
    auto& library = test::environment().library();
    sender.set_version(ProtocolVersion::dtls12);
    sender.add_writer12(test::must(record::Sealer12::make(library, protection)));
    receiver.add_reader12(test::must(record::Opener12::make(library, protection)));
  }
  record::RecordLayer sender;
  record::RecordLayer receiver;
};

// Like a client's second flight: three plaintext messages, ChangeCipherSpec, Finished. Returns the
// messages' encodings.
std::vector<std::string> fill(OutgoingFlight& flight, std::size_t certificate_size = 900) {
  std::vector<std::string> encodings;
  const auto add = [&](HandshakeType type, std::uint16_t seq, wire::Epoch epoch, std::size_t size) {
    const auto encoding = flight.add_message(type, wire::MessageSeq{seq}, epoch,
                                             [&](wire::Writer& out) { out.bytes(counted(size)); });
    encodings.push_back(to_hex(encoding.value()));
  };
  add(HandshakeType::certificate, 1, kPlaintextEpoch, certificate_size);
  add(HandshakeType::client_key_exchange, 2, kPlaintextEpoch, 66);
  add(HandshakeType::server_hello_done, 3, kPlaintextEpoch, 0);
  flight.add_change_cipher_spec();
  add(HandshakeType::finished, 4, kFirstEncryptedEpoch12, 12);
  return encodings;
}

std::vector<Buffer> write(OutgoingFlight& flight, record::RecordLayer& records, std::size_t mtu) {
  std::vector<Buffer> datagrams;
  while (flight.has_more()) {
    Buffer out(2000);
    const auto written = flight.write_datagram(records, out, mtu);
    if (written.bytes == 0) break;
    EXPECT_GT(written.records, 0U);
    out.resize(written.bytes);
    datagrams.push_back(std::move(out));
  }
  return datagrams;
}

struct Received {
  std::vector<std::string> messages;  // encodings, whole
  std::size_t messages_before_change = 0;
  std::size_t records = 0;
};

// What a peer makes of the datagrams.
Received receive(record::RecordLayer& records, std::vector<Buffer> datagrams) {
  Received received;
  Reassembler reassembler({.max_message = 65536, .max_bytes = 131072});
  EXPECT_TRUE(reassembler.add(test::Message(0).whole(0), kPlaintextEpoch));
  reassembler.pop();
  for (Buffer& datagram : datagrams) {
    MutableBytes rest(datagram);
    while (!rest.empty()) {
      const auto taken = records.take(rest);
      const auto* record = std::get_if<record::Record>(&taken);
      if (record == nullptr) {
        ADD_FAILURE() << "a record that nobody takes";
        continue;
      }
      ++received.records;
      if (record->type == ContentType::change_cipher_spec) {
        EXPECT_EQ(to_hex(record->contents), "01");
        EXPECT_EQ(record->epoch, kPlaintextEpoch);
        received.messages_before_change = received.messages.size();
        continue;
      }
      wire::Reader reader(record->contents);
      const auto fragment = message::HandshakeFragment::take(reader);
      EXPECT_TRUE(fragment && reader.complete());
      EXPECT_EQ(reassembler.add(*fragment, record->epoch), Reassembler::Outcome::kept);
      while (const auto whole = reassembler.front()) {
        EXPECT_EQ(whole->type == HandshakeType::finished, whole->epoch == kFirstEncryptedEpoch12);
        received.messages.push_back(to_hex(whole->encoding));
        reassembler.pop();
      }
    }
  }
  return received;
}

TEST(OutgoingFlight, StaysBelowEveryMtuAndArrivesWhole) {
  for (std::size_t mtu = 256; mtu <= 1500; mtu += mtu < 300 ? 1 : 8) {
    Ends ends;
    OutgoingFlight flight;
    const auto sent = fill(flight, 1700);
    const auto datagrams = write(flight, ends.sender, mtu);
    EXPECT_FALSE(flight.has_more());
    for (const Buffer& datagram : datagrams) ASSERT_LE(datagram.size(), mtu);
    // No more datagrams than a flight of this size needs, give or take the uneven ends.
    ASSERT_LE(datagrams.size(), 2200 / (mtu - 64) + 2) << mtu;
    const auto received = receive(ends.receiver, datagrams);
    ASSERT_EQ(received.messages, sent) << mtu;
    ASSERT_EQ(received.messages_before_change, 3U) << mtu;
  }
}

TEST(OutgoingFlight, PacksSmallMessagesIntoOneDatagram) {
  Ends ends;
  OutgoingFlight flight;
  fill(flight, 500);
  EXPECT_EQ(write(flight, ends.sender, 1200).size(), 1U);
}

TEST(OutgoingFlight, TheBufferMayBeTheSmallerLimit) {
  Ends ends;
  OutgoingFlight flight;
  fill(flight);
  Buffer out(300);
  const auto written = flight.write_datagram(ends.sender, out, 1200);
  EXPECT_GT(written.bytes, 0U);
  EXPECT_LE(written.bytes, out.size());
}

TEST(OutgoingFlight, WithoutRoomItWritesNothingAndLosesNothing) {
  Ends ends;
  OutgoingFlight flight;
  const auto sent = fill(flight);
  Buffer out(2000);
  for (const std::size_t mtu : {0U, 1U, 13U, 24U}) {
    EXPECT_EQ(flight.write_datagram(ends.sender, out, mtu).bytes, 0U) << mtu;
  }
  EXPECT_EQ(receive(ends.receiver, write(flight, ends.sender, 1200)).messages, sent);
}

// What is sent again for a smaller MTU is divided further; record numbers never come twice.
TEST(OutgoingFlight, IsSentAgainInNewRecords) {
  Ends ends;
  OutgoingFlight flight;
  const auto sent = fill(flight);
  std::map<std::string, int> numbers;
  for (const std::size_t mtu : {1200U, 256U, 548U}) {
    flight.rewind();
    auto datagrams = write(flight, ends.sender, mtu);
    for (const Buffer& datagram : datagrams) {
      Bytes rest(datagram);
      while (!rest.empty()) {
        const auto header = record::Header12::decode(rest);
        ASSERT_TRUE(header);
        ++numbers[to_hex(rest.subspan(3, 8))];
        rest = rest.subspan(record::kHeaderSize12 + header->length);
      }
    }
    EXPECT_EQ(receive(ends.receiver, std::move(datagrams)).messages, sent) << mtu;
  }
  for (const auto& [number, count] : numbers) EXPECT_EQ(count, 1) << number;
}

TEST(OutgoingFlight, KnowsWhetherAMessageWasCut) {
  for (const std::size_t mtu : {1400U, 600U}) {
    Ends ends;
    OutgoingFlight flight;
    fill(flight);
    write(flight, ends.sender, mtu);
    EXPECT_EQ(flight.has_fragments(), mtu == 600U);
  }
}

TEST(OutgoingFlight, IsDoneWhenAllWasWrittenOrCleared) {
  Ends ends;
  OutgoingFlight flight;
  EXPECT_TRUE(flight.empty());
  EXPECT_FALSE(flight.has_more());
  fill(flight);
  EXPECT_FALSE(flight.empty());
  EXPECT_TRUE(flight.has_more());
  write(flight, ends.sender, 1200);
  EXPECT_FALSE(flight.has_more());
  EXPECT_FALSE(flight.empty()) << "kept, to be sent again";
  flight.rewind();
  EXPECT_TRUE(flight.has_more());
  flight.clear();
  EXPECT_TRUE(flight.empty());
  EXPECT_FALSE(flight.has_more());
}

TEST(OutgoingFlight, AFragmentAtTheEndOfADatagramIsWorthItsHeaders) {
  for (std::size_t mtu = 256; mtu <= 1500; mtu += 31) {
    Ends ends;
    OutgoingFlight flight;
    fill(flight, 3000);
    const auto datagrams = write(flight, ends.sender, mtu);
    for (const Buffer& datagram : datagrams) {
      Bytes rest(datagram);
      while (!rest.empty()) {
        const auto header = record::Header12::decode(rest);
        const Bytes contents = rest.subspan(record::kHeaderSize12, header->length);
        rest = rest.subspan(record::kHeaderSize12 + header->length);
        if (header->type != ContentType::handshake || header->epoch != kPlaintextEpoch) continue;
        wire::Reader reader(contents);
        const auto fragment = message::HandshakeFragment::take(reader);
        const bool last = fragment->header.fragment_offset + fragment->header.fragment_length ==
                          fragment->header.length;
        EXPECT_TRUE(last || fragment->header.fragment_length >= 32) << mtu;
      }
    }
  }
}

// A record of one byte of Finished is 13 bytes of header, 24 of GCM, 12 of message header and that
// byte: 50. A datagram with more room than that is not followed by another one that begins with it.
TEST(OutgoingFlight, FinishedUsesTheRoomThatADatagramHasLeft) {
  constexpr std::size_t kMtu = 256;
  constexpr std::size_t kLeast = record::kHeaderSize12 + 24 + message::kHandshakeHeaderSize + 1;
  for (std::size_t certificate = 1; certificate <= kMtu; ++certificate) {
    Ends ends;
    OutgoingFlight flight;
    fill(flight, certificate);
    const auto datagrams = write(flight, ends.sender, kMtu);
    for (std::size_t i = 1; i < datagrams.size(); ++i) {
      const auto first = record::Header12::decode(datagrams[i]);
      if (first->epoch != kFirstEncryptedEpoch12) continue;
      EXPECT_LT(kMtu - datagrams[i - 1].size(), kLeast) << certificate;
    }
  }
}

// ---- DTLS 1.3

// The server's flight: a plaintext ServerHello, then encrypted messages.
class Flight13 {
 public:
  explicit Flight13(std::size_t certificate = 3000) {
    auto& library = test::environment().library();
    const Buffer key = counted(16);
    const Buffer iv = counted(12);
    const record::ProtectionKey13 protection{crypto::AeadAlgorithm::aes_128_gcm, key, iv, key};
    sender_.set_version(ProtocolVersion::dtls13);
    sender_.add_writer(wire::kHandshakeEpoch13, must(record::Sealer13::make(library, protection)));
    receiver_.add_reader(wire::kHandshakeEpoch13,
                         must(record::Opener13::make(library, protection)));
    add(HandshakeType::server_hello, kPlaintextEpoch, 120);
    add(HandshakeType::encrypted_extensions, wire::kHandshakeEpoch13, 20);
    add(HandshakeType::certificate, wire::kHandshakeEpoch13, certificate);
    add(HandshakeType::certificate_verify, wire::kHandshakeEpoch13, 76);
    add(HandshakeType::finished, wire::kHandshakeEpoch13, 32);
  }

  // A fragment as its record contains it.
  struct Fragment {
    wire::MessageSeq seq{};
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t length = 0;
    [[nodiscard]] bool is_whole() const { return end - begin == length; }
    friend auto operator<=>(const Fragment&, const Fragment&) = default;
  };
  struct SentRecord {
    message::RecordNumber number;
    std::vector<Fragment> fragments;
  };
  // What a peer reads in the datagrams that are due.
  std::vector<SentRecord> send(std::size_t mtu) {
    std::vector<SentRecord> sent;
    for (Buffer& datagram : write(flight, sender_, mtu)) {
      EXPECT_LE(datagram.size(), mtu);
      ++datagrams;
      MutableBytes rest(datagram);
      while (!rest.empty()) sent.push_back(read(rest));
    }
    return sent;
  }
  std::vector<SentRecord> send_again(std::size_t mtu) {
    flight.rewind();
    return send(mtu);
  }

  OutgoingFlight flight;
  std::size_t datagrams = 0;

 private:
  void add(HandshakeType type, wire::Epoch epoch, std::size_t size) {
    flight.add_message(type, wire::MessageSeq{next_++}, epoch,
                       [&](wire::Writer& out) { out.bytes(counted(size)); });
  }
  SentRecord read(MutableBytes& datagram) {
    const auto taken = receiver_.take(datagram);
    const auto* record = std::get_if<record::Record>(&taken);
    if (record == nullptr) throw std::runtime_error("a record that nobody takes");
    SentRecord sent{{record->epoch, record->sequence}, {}};
    wire::Reader reader(record->contents);
    while (reader.more()) {
      const auto [header, body, encoding] = message::HandshakeFragment::take(reader).value();
      sent.fragments.push_back({header.message_seq, header.fragment_offset,
                                header.fragment_offset + body.size(), header.length});
    }
    return sent;
  }

  record::RecordLayer sender_;
  record::RecordLayer receiver_;
  std::uint16_t next_ = 0;
};

std::vector<Flight13::Fragment> contents_of(const std::vector<Flight13::SentRecord>& records) {
  std::vector<Flight13::Fragment> contents;
  for (const auto& record : records) {
    contents.insert(contents.end(), record.fragments.begin(), record.fragments.end());
  }
  return contents;
}

// NSS drops what follows a fragment that it has already, in its record.
TEST(OutgoingFlight13, AFragmentThatIsSentAgainHasARecordOfItsOwn) {
  for (std::size_t mtu = 256; mtu <= 1500; mtu += 13) {
    for (const std::size_t certificate : {100U, 900U, 3000U}) {
      Flight13 one(certificate);
      one.send(mtu);
      for (const std::size_t repeated_mtu : {mtu, mtu, std::size_t{256}}) {
        for (const auto& record : one.send_again(repeated_mtu)) {
          const bool all_whole =
              std::ranges::all_of(record.fragments, &Flight13::Fragment::is_whole);
          EXPECT_TRUE(all_whole || record.fragments.size() == 1) << mtu;
        }
      }
    }
  }
}

TEST(OutgoingFlight13, WholeMessagesShareARecord) {
  Flight13 one(400);
  const auto records = one.send(1200);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].fragments.size(), 4U);
  EXPECT_EQ(one.datagrams, 1U);
}

// Some peers add up the lengths of fragments, or keep the first one at an offset.
TEST(OutgoingFlight13, WhatIsSentAgainKeepsItsBoundaries) {
  for (std::size_t lost = 0; lost < 10; ++lost) {
    Flight13 one;
    const auto first = one.send(600);
    ASSERT_GT(first.size(), 6U);
    if (lost >= first.size()) continue;
    EXPECT_EQ(contents_of(one.send_again(600)), contents_of(first));
    std::vector<message::RecordNumber> numbers;
    for (const auto& record : first) numbers.push_back(record.number);
    numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(lost));
    EXPECT_TRUE(one.flight.acknowledge(numbers));
    const auto rest = one.send_again(600);
    if (lost == 0) {
      EXPECT_TRUE(rest.empty()) << "the keys depend on the ServerHello";
    } else {
      EXPECT_EQ(contents_of(rest), first[lost].fragments);
    }
    EXPECT_EQ(one.flight.fully_acknowledged(), lost == 0);
    one.flight.forget_acknowledged();
    EXPECT_EQ(contents_of(one.send_again(600)), contents_of(first));
  }
}

// What fits beside the end of a message saves a record.
TEST(OutgoingFlight13, MessagesFollowTheEndOfAnotherWhenSentFirst) {
  Flight13 one(1500);
  const auto records = one.send(1200);
  ASSERT_EQ(records.size(), 3U) << "ServerHello, and two records with all that is encrypted";
  EXPECT_FALSE(records[2].fragments.front().is_whole());
  EXPECT_EQ(records[2].fragments.size(), 3U) << "the end of Certificate, and the last messages";
}

TEST(OutgoingFlight13, ANewMtuOfThePathCutsAnew) {
  Flight13 anew(3000);
  anew.send(1200);
  anew.flight.recut();
  Flight13 fresh(3000);
  EXPECT_EQ(contents_of(anew.send_again(700)), contents_of(fresh.send(700)));
}

TEST(OutgoingFlight13, ASmallerMtuDividesOnlyWhatDoesNotFit) {
  Flight13 one;
  const auto first = one.send(1200);
  const auto second = one.send_again(548);
  std::set<Flight13::Fragment> kept;
  std::set<std::size_t> ends;
  for (const auto& record : second) {
    for (const auto& fragment : record.fragments) {
      kept.insert(fragment);
      ends.insert(fragment.end);
    }
  }
  for (const auto& record : first) {
    for (const auto& fragment : record.fragments) {
      EXPECT_TRUE(ends.contains(fragment.end)) << "the old boundaries remain";
      const bool fits = fragment.end - fragment.begin < 400;
      EXPECT_TRUE(!fits || kept.contains(fragment));
    }
  }
  EXPECT_GT(second.size(), first.size());
  EXPECT_EQ(contents_of(one.send_again(1200)), contents_of(second));
}

// The ACK of a record that was divided since acknowledges all of its parts.
TEST(OutgoingFlight13, AnAckOfADividedRecordCounts) {
  Flight13 one;
  std::vector<message::RecordNumber> numbers;
  for (const auto& record : one.send(1200)) numbers.push_back(record.number);
  EXPECT_GT(one.send_again(300).size(), numbers.size());
  EXPECT_TRUE(one.flight.acknowledge(numbers));
  EXPECT_TRUE(one.flight.fully_acknowledged());
}

// The memory of a flight that is sent for ever has a bound.
TEST(OutgoingFlight13, AnAckOfWhatWasSentLongAgoCountsNoMore) {
  Flight13 one;
  std::vector<message::RecordNumber> numbers;
  for (const auto& record : one.send(600)) numbers.push_back(record.number);
  for (std::size_t sent = 0; sent < 256;) sent += one.send_again(600).size();
  EXPECT_FALSE(one.flight.acknowledge(numbers));
}

// Who has read an encrypted record has the ServerHello.
TEST(OutgoingFlight13, AnAckOfALaterEpochAcknowledgesTheEarlierOnes) {
  Flight13 one;
  const auto records = one.send(600);
  const std::vector<message::RecordNumber> last{records.back().number};
  EXPECT_TRUE(one.flight.acknowledge(last));
  for (const auto& record : one.send_again(600)) {
    EXPECT_EQ(record.number.epoch, wire::kHandshakeEpoch13);
  }
  EXPECT_FALSE(one.flight.fully_acknowledged());
}

}  // namespace
}  // namespace sluice::dtls::flight
