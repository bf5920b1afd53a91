#include "support/ice_checks.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sluice/stun/crc32.h>

#include <algorithm>
#include <span>

namespace sluice::test {
namespace {

constexpr std::size_t kHeader = 20;

void append_number(dtls::Buffer& to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) to.push_back(static_cast<std::byte>(value >> 8 * i & 0xff));
}

StunBytes::Transaction next_transaction() {
  static std::uint64_t count = 0;
  StunBytes::Transaction transaction{};
  ++count;
  // Spread over the bytes, as random ones are.
  for (std::size_t i = 0; i < transaction.size(); ++i) {
    transaction[i] = static_cast<std::byte>((count * 0x9e3779b97f4a7c15U) >> (8 * (i % 8)) & 0xff);
  }
  return transaction;
}

}  // namespace

StunBytes::StunBytes(std::uint16_t type, const Transaction& transaction) {
  append_number(bytes_, type, 2);
  append_number(bytes_, 0, 2);
  append_number(bytes_, 0x2112a442, 4);
  bytes_.insert(bytes_.end(), transaction.begin(), transaction.end());
}

void StunBytes::set_length(std::size_t more) {
  const std::size_t length = bytes_.size() - kHeader + more;
  bytes_[2] = static_cast<std::byte>(length >> 8 & 0xff);
  bytes_[3] = static_cast<std::byte>(length & 0xff);
}

StunBytes& StunBytes::add(std::uint16_t type, dtls::Bytes value) {
  append_number(bytes_, type, 2);
  append_number(bytes_, value.size(), 2);
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  while (bytes_.size() % 4 != 0) bytes_.push_back({});
  set_length(0);
  return *this;
}

StunBytes& StunBytes::add(std::uint16_t type, std::string_view value) {
  return add(type, std::as_bytes(std::span(value)));
}

StunBytes& StunBytes::add32(std::uint16_t type, std::uint32_t value) {
  dtls::Buffer bytes;
  append_number(bytes, value, 4);
  return add(type, bytes);
}

StunBytes& StunBytes::add64(std::uint16_t type, std::uint64_t value) {
  dtls::Buffer bytes;
  append_number(bytes, value, 8);
  return add(type, bytes);
}

StunBytes& StunBytes::integrity(std::string_view pwd) {
  set_length(24);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha1(), pwd.data(), static_cast<int>(pwd.size()),
       reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size(), mac.data(), &size);
  return add(0x0008, std::as_bytes(std::span(mac).first(size)));
}

StunBytes& StunBytes::fingerprint() {
  set_length(8);
  return add32(0x8028, stun::crc32(bytes_) ^ 0x5354554e);
}

dtls::Buffer make_check(const CheckFields& fields) {
  StunBytes check(fields.type, fields.transaction.value_or(next_transaction()));
  if (!fields.username.empty()) check.add(0x0006, fields.username);
  if (fields.priority) check.add32(0x0024, *fields.priority);
  if (fields.role == CheckFields::Role::controlling) check.add64(0x802a, 0x1122334455667788);
  if (fields.role == CheckFields::Role::controlled) check.add64(0x8029, 0x1122334455667788);
  if (fields.use_candidate) check.add(0x0025, std::string_view{});
  if (fields.nomination) check.add32(0xc001, *fields.nomination);
  if (fields.other_attribute) check.add(*fields.other_attribute, "any");
  if (fields.dtls_in_stun) {
    check.add(0xc071, std::string_view{});
    check.add(0xc070, dtls::Bytes(*fields.dtls_in_stun));
  }
  if (!fields.pwd.empty()) check.integrity(fields.pwd);
  if (fields.has_fingerprint) check.fingerprint();
  return check.bytes();
}

}  // namespace sluice::test
