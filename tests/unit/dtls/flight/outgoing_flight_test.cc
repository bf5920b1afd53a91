#include "flight/outgoing_flight.h"

#include <gtest/gtest.h>

#include <map>

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

// What is sent again may be cut at other places; record numbers never come twice.
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

}  // namespace
}  // namespace sluice::dtls::flight
