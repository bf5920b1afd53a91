#include "dtls_agreement.h"

#include <gtest/gtest.h>

#include <optional>

namespace sluice::nice {
namespace {

const dtls::Fingerprint kOne{dtls::HashAlgorithm::sha256, dtls::Buffer(32, std::byte{1})};
const dtls::Fingerprint kTwo{dtls::HashAlgorithm::sha256, dtls::Buffer(32, std::byte{2})};

Description described(Setup setup) {
  return {.setup = setup, .fingerprints = {kOne, kTwo}, .tls_id = "first"};
}

dtls::Role first_role(Setup setup, Setup answer_setup) {
  return agreement_after(std::nullopt, described(setup), answer_setup).role;
}

TEST(DtlsAgreement, TheOtherSetupGivesOurRole) {
  for (const auto answer_setup : {Setup::active, Setup::passive, Setup::actpass}) {
    EXPECT_EQ(first_role(Setup::active, answer_setup), dtls::Role::server);
    EXPECT_EQ(first_role(Setup::passive, answer_setup), dtls::Role::client);
  }
  EXPECT_EQ(first_role(Setup::actpass, Setup::active), dtls::Role::client);
  EXPECT_EQ(first_role(Setup::actpass, Setup::actpass), dtls::Role::server);
  EXPECT_EQ(first_role(Setup::actpass, Setup::passive), dtls::Role::server);
}

// RFC 8842 section 5.5.
TEST(DtlsAgreement, AnOfferThatChangesNothingKeepsTheRoles) {
  const auto present = agreement_after(std::nullopt, described(Setup::active), Setup::active);
  ASSERT_EQ(present.role, dtls::Role::server);
  auto offer = described(Setup::actpass);
  offer.fingerprints = {kTwo, kOne};
  const auto next = agreement_after(present, offer, Setup::active);
  EXPECT_EQ(next.role, dtls::Role::server);
  EXPECT_TRUE(is_same_association(present, next));

  offer.tls_id = "second";
  EXPECT_EQ(agreement_after(present, offer, Setup::active).role, dtls::Role::client);
}

// RFC 8842 section 3.1.
TEST(DtlsAgreement, EachOfThreeChangesMeansANewAssociation) {
  const auto present = agreement_after(std::nullopt, described(Setup::active), Setup::active);
  auto other = present;
  other.role = dtls::Role::client;
  EXPECT_FALSE(is_same_association(present, other));
  other = present;
  other.tls_id.clear();
  EXPECT_FALSE(is_same_association(present, other));
  other = present;
  other.fingerprints.pop_back();
  EXPECT_FALSE(is_same_association(present, other));
}

}  // namespace
}  // namespace sluice::nice
