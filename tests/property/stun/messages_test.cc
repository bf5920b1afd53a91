// Any message is read as it was written, and no change of it passes for authentic.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

using dtls::Buffer;

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  bool coin() { return below(2) != 0; }
  std::string text(std::size_t max) {
    std::string value(below(max + 1), ' ');
    for (char& c : value) c = static_cast<char>(engine_());
    return value;
  }
  template <class Number>
  Number number() {
    return static_cast<Number>(engine_());
  }
  dtls::UdpEndpoint endpoint() {
    const auto filled = [&](auto address) {
      for (auto& byte : address) byte = number<std::uint8_t>();
      return address;
    };
    const auto port = number<std::uint16_t>();
    if (coin()) return {filled(dtls::Ipv4Address{}), port};
    return {filled(dtls::Ipv6Address{}), port};
  }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

// The fields of a message, each there or not.
struct Fields {
  MessageClass message_class{};
  Method method{};
  TransactionId transaction{};
  std::optional<std::string> username, software, dtls_in_stun, reason;
  std::optional<std::uint32_t> priority, nomination;
  std::optional<std::uint64_t> ice_controlling, ice_controlled;
  std::optional<dtls::UdpEndpoint> xor_mapped_address, mapped_address;
  std::optional<std::uint16_t> error_code;
  std::optional<UnknownAttributes> unknown_to_peer;
  std::optional<std::vector<std::uint32_t>> hashes;
  bool use_candidate = false;

  bool operator==(const Fields&) const = default;
};

Fields any_fields(Chance& chance) {
  Fields fields;
  fields.message_class = static_cast<MessageClass>(chance.below(4));
  fields.method = static_cast<Method>(chance.below(0x1000));
  for (std::byte& byte : fields.transaction) byte = std::byte{chance.number<std::uint8_t>()};
  if (chance.coin()) fields.username = chance.text(chance.coin() ? 20 : 508);
  if (chance.coin()) fields.software = chance.text(chance.coin() ? 20 : 509);
  if (chance.coin()) fields.dtls_in_stun = chance.text(chance.coin() ? 20 : 1200);
  if (chance.coin()) fields.priority = chance.number<std::uint32_t>();
  if (chance.coin()) fields.nomination = chance.number<std::uint32_t>();
  if (chance.coin()) fields.ice_controlling = chance.number<std::uint64_t>();
  if (chance.coin()) fields.ice_controlled = chance.number<std::uint64_t>();
  if (chance.coin()) fields.xor_mapped_address = chance.endpoint();
  if (chance.coin()) fields.mapped_address = chance.endpoint();
  fields.use_candidate = chance.coin();
  if (chance.coin()) {
    fields.error_code = static_cast<std::uint16_t>(300 + chance.below(400));
    fields.reason = chance.text(509);
  }
  if (chance.coin()) {
    fields.unknown_to_peer.emplace();
    for (std::uint64_t i = chance.below(9); i > 0; --i) {
      fields.unknown_to_peer->add(AttributeType{chance.number<std::uint16_t>()});
    }
  }
  if (chance.coin()) {
    fields.hashes.emplace(chance.below(6));
    for (std::uint32_t& hash : *fields.hashes) hash = chance.number<std::uint32_t>();
  }
  return fields;
}

// In any order.
Buffer write(const Fields& fields, Chance& chance, const IntegrityKey& key) {
  Buffer out(8192);
  Writer w(out, fields.message_class, fields.method, fields.transaction);
  std::vector<std::function<void()>> calls;
  if (fields.username) calls.emplace_back([&] { w.username(*fields.username); });
  if (fields.software) calls.emplace_back([&] { w.software(*fields.software); });
  if (fields.priority) calls.emplace_back([&] { w.priority(*fields.priority); });
  if (fields.nomination) calls.emplace_back([&] { w.nomination(*fields.nomination); });
  if (fields.use_candidate) calls.emplace_back([&] { w.use_candidate(); });
  if (fields.ice_controlling)
    calls.emplace_back([&] { w.ice_controlling(*fields.ice_controlling); });
  if (fields.ice_controlled) calls.emplace_back([&] { w.ice_controlled(*fields.ice_controlled); });
  if (fields.mapped_address) calls.emplace_back([&] { w.mapped_address(*fields.mapped_address); });
  if (fields.xor_mapped_address) {
    calls.emplace_back([&] { w.xor_mapped_address(*fields.xor_mapped_address); });
  }
  if (fields.error_code) {
    calls.emplace_back([&] { w.error_code(*fields.error_code, *fields.reason); });
  }
  if (fields.unknown_to_peer) {
    calls.emplace_back([&] { w.unknown_attributes(*fields.unknown_to_peer); });
  }
  if (fields.dtls_in_stun) {
    calls.emplace_back([&] { w.dtls_in_stun(test::bytes_of(*fields.dtls_in_stun)); });
  }
  if (fields.hashes) calls.emplace_back([&] { w.dtls_in_stun_ack(*fields.hashes); });
  std::ranges::shuffle(calls, chance.engine());
  for (const auto& call : calls) call();
  out.resize(test::must(w.finish(test::environment(), key)));
  return out;
}

std::optional<std::string> text(const std::optional<dtls::Bytes>& bytes) {
  if (!bytes) return {};
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

Fields fields_of(const Message& message) {
  Fields fields;
  fields.message_class = message.message_class;
  fields.method = message.method;
  fields.transaction = message.transaction;
  fields.username = text(message.username);
  fields.software = text(message.software);
  fields.dtls_in_stun = text(message.dtls_in_stun);
  if (message.error_code) fields.reason = text(message.error_reason);
  fields.priority = message.priority;
  fields.nomination = message.nomination;
  fields.ice_controlling = message.ice_controlling;
  fields.ice_controlled = message.ice_controlled;
  fields.xor_mapped_address = message.xor_mapped_address;
  fields.mapped_address = message.mapped_address;
  fields.error_code = message.error_code;
  fields.unknown_to_peer = message.unknown_to_peer;
  fields.use_candidate = message.use_candidate;
  if (message.dtls_in_stun_ack) {
    fields.hashes.emplace();
    for (dtls::Bytes rest = *message.dtls_in_stun_ack; !rest.empty(); rest = rest.subspan(4)) {
      fields.hashes->push_back(std::to_integer<std::uint32_t>(rest[0]) << 24 |
                               std::to_integer<std::uint32_t>(rest[1]) << 16 |
                               std::to_integer<std::uint32_t>(rest[2]) << 8 |
                               std::to_integer<std::uint32_t>(rest[3]));
    }
  }
  return fields;
}

// As an ICE agent takes a message: with both checks.
bool passes(dtls::Bytes bytes, const IntegrityKey& key) {
  const auto message = decode(bytes);
  return message && message->has_fingerprint &&
         verify_integrity(*message, test::environment(), key);
}

TEST(StunMessages, AreReadAsTheyWereWritten) {
  const IntegrityKey key = test::ice_key();
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Chance chance(seed);
    const Fields fields = any_fields(chance);
    const Buffer bytes = write(fields, chance, key);
    const auto message = decode(bytes);
    ASSERT_TRUE(message) << "seed " << seed << ": " << to_string(message.error());
    EXPECT_EQ(fields_of(*message), fields) << "seed " << seed;
    EXPECT_TRUE(message->unknown.empty());
    EXPECT_TRUE(passes(bytes, key)) << "seed " << seed;
  }
}

TEST(StunMessages, NoPartOfOneIsAuthentic) {
  const IntegrityKey key = test::ice_key();
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Chance chance(seed);
    const Buffer bytes = write(any_fields(chance), chance, key);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Buffer part = test::copy_of(dtls::Bytes(bytes).first(size));
      ASSERT_FALSE(decode(part)) << "seed " << seed << ", " << size << " bytes";
    }
  }
}

TEST(StunMessages, NoChangeOfOneByteIsAuthentic) {
  const IntegrityKey key = test::ice_key();
  const Buffer check = test::written_check(key);
  for (std::size_t at = 0; at < check.size(); ++at) {
    for (unsigned change = 1; change < 256; ++change) {
      Buffer bytes = check;
      bytes[at] ^= static_cast<std::byte>(change);
      ASSERT_FALSE(passes(bytes, key)) << "byte " << at << " xor " << change;
    }
  }
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Chance chance(seed);
    const Buffer whole = write(any_fields(chance), chance, key);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      Buffer bytes = whole;
      bytes[at] ^= static_cast<std::byte>(1 + chance.below(255));
      ASSERT_FALSE(passes(bytes, key)) << "seed " << seed << ", byte " << at;
    }
  }
}

// Without FINGERPRINT's help: an attacker who changes a message corrects that too.
TEST(StunMessages, IntegrityCoversAllThatStandsBeforeIt) {
  const IntegrityKey key = test::ice_key();
  Buffer check = test::written_check(key);
  check.resize(check.size() - kFingerprintSize);
  const std::size_t length = check.size() - kHeaderSize;
  check[2] = static_cast<std::byte>(length >> 8);
  check[3] = static_cast<std::byte>(length & 0xff);
  const auto is_authentic = [&](dtls::Bytes bytes) {
    const auto message = decode(bytes);
    return message && verify_integrity(*message, test::environment(), key);
  };
  ASSERT_TRUE(is_authentic(check));
  for (std::size_t at = 0; at < check.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Buffer bytes = check;
      bytes[at] ^= std::byte{1} << bit;
      ASSERT_FALSE(is_authentic(bytes)) << "byte " << at << ", bit " << bit;
    }
  }
}

}  // namespace
}  // namespace sluice::stun
