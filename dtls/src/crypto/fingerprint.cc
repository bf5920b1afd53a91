#include <algorithm>
#include <array>
#include <cctype>

#include <sluice/dtls/fingerprint.h>

#include "crypto/fingerprint.h"
#include "crypto/hash.h"

namespace sluice::dtls {
namespace {

struct HashName {
  HashAlgorithm hash;
  std::string_view name;
};
constexpr std::array kHashNames{
    HashName{HashAlgorithm::sha1, "sha-1"}, HashName{HashAlgorithm::sha256, "sha-256"},
    HashName{HashAlgorithm::sha384, "sha-384"}, HashName{HashAlgorithm::sha512, "sha-512"}};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

tl::unexpected<Error> malformed() {
  return tl::unexpected(Error{Errc::decode_error, {}, 0, "fingerprint"});
}

}  // namespace

std::string_view to_string(HashAlgorithm hash) {
  return kHashNames[static_cast<std::size_t>(hash)].name;
}

Result<Fingerprint> Fingerprint::parse(std::string_view hash, std::string_view value) {
  const auto* const known = std::ranges::find_if(kHashNames, [&](const HashName& candidate) {
    return equal_ignoring_case(candidate.name, hash);
  });
  if (known == kHashNames.end()) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "fingerprint: unknown hash"});
  }
  // Two hexadecimal digits per byte, separated by colons.
  Fingerprint fingerprint{known->hash, {}};
  const std::size_t size = crypto::hash_size(known->hash);
  if (value.size() != size * 3 - 1) return malformed();
  for (std::size_t i = 0; i < value.size(); i += 3) {
    const int high = hex_value(value[i]);
    const int low = hex_value(value[i + 1]);
    const bool separated = i + 2 == value.size() || value[i + 2] == ':';
    if (high < 0 || low < 0 || !separated) return malformed();
    fingerprint.value.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return fingerprint;
}

Result<Fingerprint> Fingerprint::parse(std::string_view hash_and_value) {
  const auto space = hash_and_value.find(' ');
  if (space == std::string_view::npos) return malformed();
  return parse(hash_and_value.substr(0, space), hash_and_value.substr(space + 1));
}

Result<Fingerprint> Fingerprint::of(Bytes certificate, HashAlgorithm hash,
                                    Environment& environment) {
  return crypto::fingerprint_of(environment.library(), certificate, hash);
}

std::string Fingerprint::to_sdp() const {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text(to_string(hash));
  char separator = ' ';
  for (const std::byte byte : value) {
    const auto number = std::to_integer<unsigned>(byte);
    text.push_back(separator);
    text.push_back(kDigits[number >> 4]);
    text.push_back(kDigits[number & 15]);
    separator = ':';
  }
  return text;
}

Result<bool> matches(std::span<const Fingerprint> announced, Bytes certificate,
                     Environment& environment) {
  return crypto::matches(environment.library(), announced, certificate);
}

namespace crypto {

Result<Fingerprint> fingerprint_of(Library& library, Bytes certificate, HashAlgorithm hash) {
  return digest(library, hash, certificate).map([&](const Digest& value) {
    return Fingerprint{hash, Buffer(value.bytes().begin(), value.bytes().end())};
  });
}

HashAlgorithm strongest_hash(std::span<const Fingerprint> announced) {
  return std::ranges::max_element(announced, {}, &Fingerprint::hash)->hash;
}

namespace {

// Null: not listed.
const Fingerprint* find(std::span<const Fingerprint> announced, HashAlgorithm hash, Bytes value) {
  const auto listed = std::ranges::find_if(announced, [&](const Fingerprint& expected) {
    return expected.hash == hash && std::ranges::equal(expected.value, value);
  });
  return listed != announced.end() ? &*listed : nullptr;
}

}  // namespace

Result<const Fingerprint*> find_match(Library& library, std::span<const Fingerprint> announced,
                                      Bytes certificate, const std::optional<Sha256>& known) {
  if (announced.empty()) return nullptr;
  const HashAlgorithm hash = strongest_hash(announced);
  if (known && hash == HashAlgorithm::sha256) return find(announced, hash, *known);
  return digest(library, hash, certificate).map([&](const Digest& own) {
    return find(announced, hash, own.bytes());
  });
}

Result<bool> matches(Library& library, std::span<const Fingerprint> announced, Bytes certificate) {
  return find_match(library, announced, certificate).map([](const Fingerprint* match) {
    return match != nullptr;
  });
}

}  // namespace crypto

}  // namespace sluice::dtls
