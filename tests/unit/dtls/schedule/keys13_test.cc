// Vectors are in tests/kat/dtls13.
#include "schedule/keys13.h"

#include <gtest/gtest.h>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls::schedule {
namespace {

using test::counted;
using test::must;
using test::to_hex;

// RFC 8446 section 7.1: "if a given secret is not available, then the 0-value consisting of a
// string of Hash.length bytes set to zeros is used". What follows from that is known beforehand.
TEST(HandshakeSecrets, WithoutAPskAreThoseOfZeros) {
  crypto::Library& library = test::environment().library();
  for (const HashAlgorithm hash : {HashAlgorithm::sha256, HashAlgorithm::sha384}) {
    const Buffer zeros(crypto::hash_size(hash));
    const Buffer hello_hash = counted(crypto::hash_size(hash));
    const auto derive = [&](Bytes psk) {
      return must(HandshakeSecrets::derive(library, hash, psk, counted(32), hello_hash));
    };
    const auto without = derive({});
    const auto with_zeros = derive(zeros);
    EXPECT_EQ(to_hex(without.traffic().client.bytes()),
              to_hex(with_zeros.traffic().client.bytes()));
    EXPECT_EQ(to_hex(without.traffic().server.bytes()),
              to_hex(with_zeros.traffic().server.bytes()));
    EXPECT_NE(to_hex(without.traffic().client.bytes()), to_hex(without.traffic().server.bytes()));
    const auto resumption = [&](const HandshakeSecrets& secrets) {
      const HashSecret secret = must(secrets.resumption_secret(library, hash, hello_hash));
      return to_hex(secret.bytes());
    };
    EXPECT_EQ(resumption(without), resumption(with_zeros));
  }
}

}  // namespace
}  // namespace sluice::dtls::schedule
