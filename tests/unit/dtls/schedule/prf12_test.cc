// Vectors are in tests/kat/dtls.
#include "schedule/prf12.h"

#include <gtest/gtest.h>

#include "support/endpoints.h"
#include "unit/dtls/schedule/reference_prf.h"

namespace sluice::dtls::schedule {
namespace {

using test::bytes_of;
using test::counted;
using test::must;
using test::reference_prf;
using test::to_hex;

std::string prf(HashAlgorithm hash, Bytes secret, std::string_view label, Bytes seed,
                std::size_t size) {
  Buffer out(size);
  must(prf12(test::environment().library(), hash, secret, label, seed, out));
  return to_hex(out);
}

TEST(Prf12, IsWhatTheReferenceSaysAtEveryLength) {
  const Buffer secret = counted(48);
  const Buffer seed = counted(64);
  for (const std::size_t size : {1U, 12U, 31U, 32U, 33U, 47U, 48U, 49U, 64U, 96U, 97U, 1000U}) {
    EXPECT_EQ(prf(HashAlgorithm::sha256, secret, "label", seed, size),
              reference_prf("SHA256", secret, "label", seed, size))
        << size;
    EXPECT_EQ(prf(HashAlgorithm::sha384, secret, "label", seed, size),
              reference_prf("SHA384", secret, "label", seed, size))
        << size;
  }
}

TEST(Prf12, TakesSecretsOfAnySize) {
  for (const std::size_t size : {1U, 32U, 48U, 64U, 65U, 128U, 129U, 300U}) {
    EXPECT_EQ(prf(HashAlgorithm::sha256, counted(size), "label", bytes_of("seed"), 40),
              reference_prf("SHA256", counted(size), "label", bytes_of("seed"), 40))
        << size;
  }
}

TEST(Prf12, ShorterIsThePrefixOfLonger) {
  const std::string longer = prf(HashAlgorithm::sha256, counted(48), "l", bytes_of("s"), 100);
  EXPECT_EQ(prf(HashAlgorithm::sha256, counted(48), "l", bytes_of("s"), 50), longer.substr(0, 100));
  EXPECT_EQ(prf(HashAlgorithm::sha256, counted(48), "l", bytes_of("s"), 0), "");
}

TEST(Prf12, LabelAndSeedAreJoined) {
  EXPECT_EQ(prf(HashAlgorithm::sha256, counted(48), "lab", bytes_of("elseed"), 32),
            prf(HashAlgorithm::sha256, counted(48), "label", bytes_of("seed"), 32));
  EXPECT_NE(prf(HashAlgorithm::sha256, counted(48), "label", bytes_of("seed"), 32),
            prf(HashAlgorithm::sha384, counted(48), "label", bytes_of("seed"), 32));
}

}  // namespace
}  // namespace sluice::dtls::schedule
