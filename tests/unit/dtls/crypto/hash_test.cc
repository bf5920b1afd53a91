#include "crypto/hash.h"

#include "crypto/constant_time.h"
#include "crypto/failure.h"
#include "crypto/hmac.h"
#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls::crypto {
namespace {

using test::bytes_of;
using test::must;
using test::to_hex;

constexpr std::array kHashes{HashAlgorithm::sha1, HashAlgorithm::sha256, HashAlgorithm::sha384,
                             HashAlgorithm::sha512};

using Hash = test::CryptoTest;

TEST_F(Hash, RunningGivesWhatAtOnceGives) {
  const Buffer data = test::counted(300);
  for (const HashAlgorithm hash : kHashes) {
    RunningHash running = must(RunningHash::start(library(), hash));
    for (std::size_t at = 0; at <= data.size(); at += 50) {
      // Asked for its value at each step, it goes on as if nobody had.
      EXPECT_EQ(to_hex(must(running.value(library())).bytes()),
                to_hex(must(digest(library(), hash, Bytes(data).first(at))).bytes()));
      if (at < data.size()) must(running.update(Bytes(data).subspan(at, 50)));
    }
  }
}

TEST_F(Hash, NothingChangesNothing) {
  for (const HashAlgorithm hash : kHashes) {
    RunningHash running = must(RunningHash::start(library(), hash));
    must(running.update({}));
    EXPECT_EQ(to_hex(must(running.value(library())).bytes()),
              to_hex(must(digest(library(), hash, {})).bytes()));
    EXPECT_EQ(must(digest(library(), hash, {})).bytes().size(), hash_size(hash));
  }
}

TEST_F(Hash, TwoRunAtOnce) {
  RunningHash a = must(RunningHash::start(library(), HashAlgorithm::sha256));
  RunningHash b = must(RunningHash::start(library(), HashAlgorithm::sha384));
  must(a.update(bytes_of("ab")));
  must(b.update(bytes_of("xy")));
  must(a.update(bytes_of("c")));
  EXPECT_EQ(to_hex(must(a.value(library())).bytes()),
            to_hex(must(digest(library(), HashAlgorithm::sha256, bytes_of("abc"))).bytes()));
  EXPECT_EQ(to_hex(must(b.value(library())).bytes()),
            to_hex(must(digest(library(), HashAlgorithm::sha384, bytes_of("xy"))).bytes()));
}

TEST_F(Hash, ThatOfNothingIsKnown) {
  for (const HashAlgorithm hash : kHashes) {
    EXPECT_EQ(to_hex(digest_of_nothing(hash)), to_hex(must(digest(library(), hash, {})).bytes()));
  }
}

class HmacTest : public test::CryptoTest {
 protected:
  // Under the key that libcrypto's context for SHA-256 has.
  static std::string mac_of_present_key() {
    EVP_MAC_CTX* context = library().hmac_context(HashAlgorithm::sha256);
    std::array<std::byte, 32> value{};
    std::size_t size = 0;
    const Bytes message = bytes_of("message");
    EXPECT_EQ(EVP_MAC_init(context, nullptr, 0, nullptr), 1);
    EXPECT_EQ(EVP_MAC_update(context, octets(message), message.size()), 1);
    EXPECT_EQ(EVP_MAC_final(context, octets(MutableBytes(value)), &size, value.size()), 1);
    return to_hex(value);
  }
};

TEST_F(HmacTest, PartsAreOneMessage) {
  Hmac hmac = must(Hmac::with_key(library(), HashAlgorithm::sha256, bytes_of("key")));
  const auto whole = to_hex(must(hmac.compute({bytes_of("onetwothree")})).bytes());
  EXPECT_EQ(
      to_hex(must(hmac.compute({bytes_of("one"), bytes_of("two"), bytes_of("three")})).bytes()),
      whole);
  EXPECT_EQ(to_hex(must(hmac.compute({{}, bytes_of("onetwothree"), {}})).bytes()), whole);
  EXPECT_NE(to_hex(must(hmac.compute({})).bytes()), whole);
}

TEST_F(HmacTest, AKeyServesManyTimesAndNoLonger) {
  const auto mac = [](std::string_view key) {
    Hmac hmac = must(Hmac::with_key(library(), HashAlgorithm::sha384, bytes_of(key)));
    must(hmac.compute({bytes_of("something else")}));
    return to_hex(must(hmac.compute({bytes_of("message")})).bytes());
  };
  const std::string first = mac("first");
  EXPECT_NE(mac("second"), first);
  EXPECT_EQ(mac("first"), first);
}

// A wipe may be put off, as long as it comes.
TEST_F(HmacTest, ADeferredWipeComesAtTheEndOfTheOutermost) {
  const auto mac = [](std::string_view key) {
    Hmac hmac = must(Hmac::with_key(library(), HashAlgorithm::sha256, bytes_of(key)));
    return to_hex(must(hmac.compute({bytes_of("message")})).bytes());
  };
  const std::string wiped = mac(std::string_view("\0", 1));  // padded with zeros, as all are
  const std::string first = mac("first");
  EXPECT_EQ(mac_of_present_key(), wiped);
  {
    const DeferredWipe outer(library());
    {
      const DeferredWipe inner(library());
      EXPECT_EQ(mac("first"), first);
    }
    EXPECT_EQ(mac_of_present_key(), first);
    EXPECT_NE(mac("second"), first);
    EXPECT_EQ(mac("first"), first);
  }
  EXPECT_EQ(mac_of_present_key(), wiped);
}

// A key that is not set again gives the MACs of that key, whatever was set or wiped meanwhile.
TEST_F(HmacTest, ARepeatedKeyIsAlwaysTheRightOne) {
  const auto mac_of = [](Result<Hmac> (*make)(Library&, HashAlgorithm, Bytes), HashAlgorithm hash,
                         std::string_view key) {
    Hmac hmac = must(make(library(), hash, bytes_of(key)));
    return to_hex(must(hmac.compute({bytes_of("message")})).bytes());
  };
  const auto once = [&](HashAlgorithm hash, std::string_view key) {
    return mac_of(&Hmac::with_key, hash, key);
  };
  const auto repeated = [&](HashAlgorithm hash, std::string_view key) {
    return mac_of(&Hmac::with_repeated_key, hash, key);
  };
  constexpr auto kHash = HashAlgorithm::sha256;
  const std::string longest(kMaxRepeatedKey, 'k');
  const std::string too_long(kMaxRepeatedKey + 1, 'k');
  for (const std::string& key : {std::string("key"), longest, too_long}) {
    const std::string expected = once(kHash, key);
    const std::string expected384 = once(HashAlgorithm::sha384, key);
    EXPECT_EQ(repeated(kHash, key), expected);
    for (int i = 0; i < 2; ++i) {
      const DeferredWipe outer(library());
      EXPECT_EQ(repeated(kHash, key), expected) << "after a wipe";
      EXPECT_EQ(repeated(kHash, key), expected);
      {
        const DeferredWipe inner(library());
        EXPECT_EQ(repeated(kHash, key), expected);
      }
      EXPECT_EQ(repeated(kHash, key), expected);
      EXPECT_EQ(repeated(HashAlgorithm::sha384, key), expected384) << "another hash";
      EXPECT_EQ(repeated(kHash, key), expected);
      EXPECT_NE(repeated(kHash, "kez"), expected) << "another key";
      EXPECT_EQ(repeated(kHash, key), expected);
      EXPECT_NE(once(kHash, "another"), expected) << "another key, set once";
      EXPECT_EQ(repeated(kHash, key), expected);
    }
    EXPECT_EQ(repeated(kHash, key), expected);
  }
}

// The key of an Hmac that lives longer than the DeferredWipe in which it was made.
TEST_F(HmacTest, ARepeatedKeyOutlivesADeferredWipe) {
  const auto make = [] {
    return must(Hmac::with_repeated_key(library(), HashAlgorithm::sha256, bytes_of("key")));
  };
  const auto compute = [](Hmac& hmac) {
    return to_hex(must(hmac.compute({bytes_of("message")})).bytes());
  };
  std::string expected;
  {
    auto deferred = std::make_unique<const DeferredWipe>(library());
    Hmac hmac = make();
    expected = compute(hmac);
    deferred.reset();
  }
  const DeferredWipe deferred(library());
  Hmac hmac = make();
  EXPECT_EQ(compute(hmac), expected);
}

TEST_F(HmacTest, ARepeatedKeyIsWipedWhenItIsForgottenOrReplaced) {
  const auto repeat = [](HashAlgorithm hash, std::string_view key) {
    Hmac hmac = must(Hmac::with_repeated_key(library(), hash, bytes_of(key)));
    return to_hex(must(hmac.compute({bytes_of("message")})).bytes());
  };
  constexpr auto kHash = HashAlgorithm::sha256;
  const std::string kept = repeat(kHash, "key");
  EXPECT_EQ(mac_of_present_key(), kept);
  forget_repeated_key(library());
  EXPECT_NE(mac_of_present_key(), kept);

  repeat(kHash, "key");
  repeat(HashAlgorithm::sha384, "key");
  EXPECT_NE(mac_of_present_key(), kept) << "a key for another hash was set";

  repeat(kHash, "key");
  {
    const DeferredWipe deferred(library());
    forget_repeated_key(library());
  }
  EXPECT_NE(mac_of_present_key(), kept);

  repeat(kHash, std::string(49, 'k'));
  forget_repeated_key(library());
  const std::string wiped = mac_of_present_key();
  {
    must(Hmac::with_key(library(), kHash, bytes_of("key")));
  }
  EXPECT_EQ(mac_of_present_key(), wiped) << "too long to be kept";
}

// Longer than what is joined into one update.
TEST_F(HmacTest, LongPartsAreOneMessageToo) {
  const Buffer half = test::counted(150);
  Buffer whole = half;
  whole.insert(whole.end(), half.begin(), half.end());
  Hmac hmac = must(Hmac::with_key(library(), HashAlgorithm::sha256, bytes_of("key")));
  EXPECT_EQ(to_hex(must(hmac.compute({half, half})).bytes()),
            to_hex(must(hmac.compute({whole})).bytes()));
}

// RFC 2104 pads a key with zeros: none at all is one as well. libcrypto takes a null key for "keep
// the present one".
TEST_F(HmacTest, TheEmptyKeyIsAKey) {
  {
    Hmac other = must(Hmac::with_key(library(), HashAlgorithm::sha256, bytes_of("other")));
    must(other.compute({}));
  }
  auto fresh = must(Environment::make());
  for (Library* library : {&HmacTest::library(), &fresh.library()}) {
    auto hmac = Hmac::with_key(*library, HashAlgorithm::sha256, {});
    ASSERT_TRUE(hmac);
    EXPECT_EQ(to_hex(must(hmac->compute({})).bytes()),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  }
}

TEST_F(HmacTest, ARepeatedHashIsThatOfItsText) {
  RepeatedHash hash;
  for (const auto* const text : {"abc", "abc", "abd", "ab", "", "", "abc"}) {
    const auto expected = must(digest(library(), HashAlgorithm::sha256, bytes_of(text)));
    const auto write = [&](Buffer& out) {
      const Bytes bytes = bytes_of(text);
      out.insert(out.end(), bytes.begin(), bytes.end());
    };
    EXPECT_EQ(to_hex(must(hash.of(library(), write))), to_hex(expected.bytes())) << text;
  }
}

TEST(ConstantTimeEqual, ComparesAllBytesAndSizes) {
  const Buffer a = test::counted(12);
  Buffer b = a;
  EXPECT_TRUE(equal(a, b));
  for (std::size_t i = 0; i < b.size(); ++i) {
    b[i] ^= std::byte{1};
    EXPECT_FALSE(equal(a, b)) << i;
    b[i] ^= std::byte{1};
  }
  EXPECT_FALSE(equal(a, Bytes(b).first(11)));
  EXPECT_FALSE(equal(a, {}));
  EXPECT_TRUE(equal({}, {}));
}

}  // namespace
}  // namespace sluice::dtls::crypto
