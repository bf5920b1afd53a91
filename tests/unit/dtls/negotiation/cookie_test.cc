#include "negotiation/cookie.h"

#include <gtest/gtest.h>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls::handshake {
namespace {

using namespace std::chrono_literals;
using test::bytes_of;
using test::copy_of;
using test::counted;
using test::must;

crypto::Library& library() { return test::environment().library(); }

const Buffer kRepeated = counted(32);
const CookieBinding kBinding{ProtocolVersion::dtls13, bytes_of("address"), kRepeated};

CookieJar make_jar(Duration lifetime = 60s) { return must(CookieJar::make(library(), lifetime)); }

Buffer cookie_of(CookieJar& jar, Bytes content, const CookieBinding& binding = kBinding) {
  Buffer cookie;
  wire::Writer out(cookie);
  must(jar.put(library(), out, content, binding));
  return cookie;
}

std::optional<Buffer> open(const CookieJar& jar, Bytes cookie,
                           const CookieBinding& binding = kBinding) {
  const auto opened = must(jar.open(library(), cookie, binding));
  return opened ? std::optional(copy_of(opened->content)) : std::nullopt;
}

CookieNumber number_of(const CookieJar& jar, Bytes cookie) {
  return must(jar.open(library(), cookie, kBinding)).value().number;
}

TEST(CookieJar, KnowsItsCookiesAgain) {
  CookieJar jar = make_jar();
  for (const std::size_t size : {0U, 1U, 36U, 255U}) {
    const Buffer content = counted(size);
    const Buffer cookie = cookie_of(jar, content);
    EXPECT_EQ(cookie.size(), size + CookieJar::kOverhead);
    EXPECT_EQ(open(jar, cookie), content);
  }
}

TEST(CookieJar, BindsAddressVersionAndHello) {
  CookieJar jar = make_jar();
  const Buffer cookie = cookie_of(jar, counted(10));
  Buffer other_hello = kRepeated;
  other_hello.back() ^= std::byte{1};
  EXPECT_FALSE(open(jar, cookie, {ProtocolVersion::dtls12, bytes_of("address"), kRepeated}));
  EXPECT_FALSE(open(jar, cookie, {ProtocolVersion::dtls13, bytes_of("addresS"), kRepeated}));
  EXPECT_FALSE(open(jar, cookie, {ProtocolVersion::dtls13, bytes_of("address"), other_hello}));
  EXPECT_FALSE(open(make_jar(), cookie)) << "another jar's secret is another";
}

// Their sizes have one byte each in what the MAC covers.
TEST(CookieJar, RefusesContentAndAddressAbove255Bytes) {
  CookieJar jar = make_jar();
  const Buffer longer = counted(256);
  Buffer cookie;
  wire::Writer out(cookie);
  EXPECT_FALSE(jar.put(library(), out, longer, kBinding));
  EXPECT_FALSE(jar.put(library(), out, {}, {ProtocolVersion::dtls13, longer, kRepeated}));
  EXPECT_TRUE(cookie.empty());
}

// What ends one part may not begin the next.
TEST(CookieJar, TellsContentAndAddressApart) {
  CookieJar jar = make_jar();
  const Buffer cookie = cookie_of(jar, bytes_of("content"),
                                  {ProtocolVersion::dtls12, bytes_of("address"), kRepeated});
  // The same bytes, cut elsewhere: content "contenta", address "ddress".
  Buffer moved = cookie;
  moved.insert(moved.begin() + 5 + 7, std::byte{'a'});
  EXPECT_FALSE(open(jar, moved, {ProtocolVersion::dtls12, bytes_of("ddress"), kRepeated}));
}

TEST(CookieJar, TakesNoCookieThatWasChanged) {
  CookieJar jar = make_jar();
  const Buffer good = cookie_of(jar, counted(20));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Buffer bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(open(jar, bad)) << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(open(jar, copy_of(Bytes(good).first(size)))) << size;
  }
  EXPECT_FALSE(open(jar, Buffer(1000)));
}

TEST(CookieJar, ASecretAndTheOneBeforeHold) {
  CookieJar jar = make_jar(10s);
  must(jar.advance(library(), Instant{1000s}));
  const Buffer first = cookie_of(jar, {});
  must(jar.advance(library(), Instant{1009s}));
  must(jar.advance(library(), Instant{1010s}));
  const Buffer second = cookie_of(jar, {});
  EXPECT_NE(second, first);
  EXPECT_TRUE(open(jar, first));
  EXPECT_TRUE(open(jar, second));
  must(jar.advance(library(), Instant{1019s}));
  EXPECT_TRUE(open(jar, first));
  must(jar.advance(library(), Instant{1020s}));
  EXPECT_FALSE(open(jar, first));
  EXPECT_TRUE(open(jar, second));
}

// What tells a client that asks anew from one that repeats itself, however fast either is.
TEST(CookieJar, NumbersItsCookiesInTheirOrder) {
  CookieJar jar = make_jar(24h);
  Instant now{5s};
  must(jar.advance(library(), now));
  std::vector<CookieNumber> numbers;
  for (int i = 0; i < 10; ++i) numbers.push_back(number_of(jar, cookie_of(jar, {})));
  for (const Duration pause : {Duration{1us}, Duration{1ms}, Duration{1h}, Duration{48h}}) {
    now += pause;
    must(jar.advance(library(), now));
    numbers.push_back(number_of(jar, cookie_of(jar, {})));
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    for (std::size_t j = 0; j < numbers.size(); ++j) {
      EXPECT_EQ(is_later(numbers[i], numbers[j]), i > j) << i << ' ' << j;
    }
  }
}

// They tell neither how many clients came nor when the server began.
TEST(CookieJar, TheNumbersOfCookiesTellNothing) {
  const auto advance_in_an_hour = [](CookieJar& jar, int clients) {
    must(jar.advance(library(), Instant{5s}));
    const auto first = number_of(jar, cookie_of(jar, {}));
    for (int i = 1; i < clients; ++i) cookie_of(jar, {});
    must(jar.advance(library(), Instant{5s + 1h}));
    const auto last = number_of(jar, cookie_of(jar, {}));
    return static_cast<std::uint32_t>(last) - static_cast<std::uint32_t>(first);
  };
  CookieJar busy = make_jar(24h);
  CookieJar idle = make_jar(24h);
  EXPECT_EQ(advance_in_an_hour(busy, 1000), advance_in_an_hour(idle, 1));
  EXPECT_NE(number_of(busy, cookie_of(busy, {})), number_of(idle, cookie_of(idle, {})));
}

TEST(CookieNumber, ComesRound) {
  EXPECT_TRUE(is_later(CookieNumber{3}, CookieNumber{UINT32_MAX}));
  EXPECT_FALSE(is_later(CookieNumber{UINT32_MAX}, CookieNumber{3}));
  EXPECT_FALSE(is_later(CookieNumber{7}, CookieNumber{7}));
}

// ---- jars that share a secret

TEST(CookieJar, JarsOfOneSecretTakeEachOthersCookies) {
  CookieJar one = make_jar(10s);
  must(one.advance(library(), Instant{1000s}));
  const Buffer before = cookie_of(one, counted(10));
  CookieJar other = make_jar(10s);
  must(other.advance(library(), Instant{3s}));
  const SecretBytes secret = must(one.export_secret(library(), Instant{1004s}));
  must(other.import_secret(library(), secret.bytes(), Instant{1005s}));
  EXPECT_TRUE(open(other, before));
  // They change their secrets together, however seldom either is used.
  for (const Duration time : {1009s, 1010s, 1019s, 1500s}) {
    must(one.advance(library(), Instant{time}));
    must(other.advance(library(), Instant{time}));
    EXPECT_TRUE(open(other, cookie_of(one, counted(10))));
    EXPECT_TRUE(open(one, cookie_of(other, counted(10))));
  }
  EXPECT_FALSE(open(other, before));
}

TEST(CookieJar, ClocksMayDifferALittle) {
  CookieJar one = make_jar(10s);
  const SecretBytes secret = must(one.export_secret(library(), Instant{1000s}));
  CookieJar other = make_jar(10s);
  must(other.import_secret(library(), secret.bytes(), Instant{999s}));
  const Buffer cookie = cookie_of(other, {});
  EXPECT_TRUE(open(one, cookie));
  must(one.advance(library(), Instant{1000s + 500ms}));
  const Buffer between = cookie_of(one, {});
  must(other.advance(library(), Instant{1001s}));
  const Buffer last = cookie_of(other, {});
  EXPECT_TRUE(is_later(number_of(other, between), number_of(other, cookie)));
  EXPECT_TRUE(is_later(number_of(other, last), number_of(other, between)));
}

TEST(CookieJar, OtherSecretsAreRefused) {
  CookieJar one = make_jar(10s);
  const SecretBytes secret = must(one.export_secret(library(), Instant{}));
  const Bytes bytes = secret.bytes();
  CookieJar other = make_jar(10s);
  must(other.advance(library(), Instant{}));
  const Buffer cookie = cookie_of(other, {});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(other.import_secret(library(), bytes.first(size), Instant{})) << size;
  }
  Buffer format = copy_of(bytes);
  format.front() = std::byte{2};
  EXPECT_FALSE(other.import_secret(library(), format, Instant{}));
  Buffer longer = copy_of(bytes);
  longer.push_back({});
  EXPECT_FALSE(other.import_secret(library(), longer, Instant{}));
  EXPECT_TRUE(open(other, cookie)) << "the jar is as it was";
  EXPECT_FALSE(make_jar(11s).import_secret(library(), bytes, Instant{})) << "another lifetime";
}

// However long nobody came; also when the mark of the generation comes round again.
TEST(CookieJar, NothingHoldsAfterAPause) {
  for (const int generations : {2, 3, 255, 256, 257, 512, 100'000}) {
    SCOPED_TRACE(generations);
    CookieJar jar = make_jar(10s);
    must(jar.advance(library(), Instant{}));
    const Buffer cookie = cookie_of(jar, {});
    must(jar.advance(library(), Instant{generations * 10s}));
    EXPECT_FALSE(open(jar, cookie));
    must(jar.advance(library(), Instant{generations * 10s + 10s}));
    EXPECT_FALSE(open(jar, cookie));
  }
}

TEST(CookieJar, TheSecretBeforeDoesNotHoldAfterAPause) {
  CookieJar jar = make_jar(10s);
  must(jar.advance(library(), Instant{}));
  const Buffer cookie = cookie_of(jar, {});
  for (const int generation : {1, 257}) {
    must(jar.advance(library(), Instant{generation * 10s}));
    EXPECT_EQ(open(jar, cookie).has_value(), generation == 1);
  }
}

}  // namespace
}  // namespace sluice::dtls::handshake
