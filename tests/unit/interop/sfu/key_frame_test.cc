// Payloads written by hand from the figures of the payload formats' RFCs.
#include "sfu/forwarding/key_frame.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::interop::sfu {
namespace {

using test::from_hex;

// RFC 7741 section 4.2: X R N S R PID; section 4.3: the last bit of the frame is P.
TEST(KeyFrames, OfVp8) {
  EXPECT_TRUE(begins_vp8_key_frame(from_hex("10 50 02 00")));
  EXPECT_FALSE(begins_vp8_key_frame(from_hex("10 51 02 00"))) << "predicted";
  EXPECT_FALSE(begins_vp8_key_frame(from_hex("00 50 02 00"))) << "goes on";
  EXPECT_FALSE(begins_vp8_key_frame(from_hex("11 50 02 00"))) << "another partition";
  EXPECT_TRUE(begins_vp8_key_frame(from_hex("90 80 11 50"))) << "picture ID of 7 bits";
  EXPECT_FALSE(begins_vp8_key_frame(from_hex("90 80 11 51")));
  EXPECT_TRUE(begins_vp8_key_frame(from_hex("90 80 91 11 50"))) << "of 15 bits";
  EXPECT_FALSE(begins_vp8_key_frame(from_hex("90 80 91 11 51")));
  EXPECT_TRUE(begins_vp8_key_frame(from_hex("90 e0 91 11 01 21 50"))) << "TL0PICIDX, TID";
  EXPECT_FALSE(begins_vp8_key_frame(from_hex("90 e0 91 11 01 20 51")));
  EXPECT_TRUE(begins_vp8_key_frame(from_hex("90 10 01 50"))) << "KEYIDX alone";
}

// RFC 9628 section 4.2: I P L F B E V Z; the layer byte is T(3) U S(3) D.
TEST(KeyFrames, OfVp9) {
  EXPECT_TRUE(begins_vp9_key_frame(from_hex("08 00")));
  EXPECT_FALSE(begins_vp9_key_frame(from_hex("48 00"))) << "predicted";
  EXPECT_FALSE(begins_vp9_key_frame(from_hex("04 00"))) << "its end";
  EXPECT_TRUE(begins_vp9_key_frame(from_hex("a8 91 11 00 01"))) << "the base layer";
  EXPECT_FALSE(begins_vp9_key_frame(from_hex("a8 91 11 02 01"))) << "a layer above";
  EXPECT_FALSE(begins_vp9_key_frame(from_hex("a8 11 02 01")));
  EXPECT_TRUE(begins_vp9_key_frame(from_hex("28 01 00"))) << "D is no part of the layer";
}

// RFC 6184 sections 5.6, 5.7.1 and 5.8.
TEST(KeyFrames, OfH264) {
  EXPECT_TRUE(begins_h264_key_frame(from_hex("65 88"))) << "IDR";
  EXPECT_TRUE(begins_h264_key_frame(from_hex("67 42"))) << "SPS";
  EXPECT_FALSE(begins_h264_key_frame(from_hex("68 ce"))) << "PPS";
  EXPECT_FALSE(begins_h264_key_frame(from_hex("41 9a")));
  EXPECT_TRUE(begins_h264_key_frame(from_hex("78 00 02 67 42 00 02 68 ce"))) << "STAP-A";
  EXPECT_TRUE(begins_h264_key_frame(from_hex("78 00 02 06 01 00 02 65 88"))) << "behind SEI";
  EXPECT_FALSE(begins_h264_key_frame(from_hex("78 00 02 06 05 00 02 41 65")));
  EXPECT_TRUE(begins_h264_key_frame(from_hex("7c 85 88"))) << "FU-A";
  EXPECT_FALSE(begins_h264_key_frame(from_hex("7c 05 88"))) << "goes on";
  EXPECT_FALSE(begins_h264_key_frame(from_hex("7c 81 9a")));
}

// RFC 6184 section 5.3 and H.264 section 7.3.3: first_mb_in_slice, 0 in the first slice alone.
TEST(KeyFrames, OfH264BeginWithTheFirstSlice) {
  EXPECT_FALSE(begins_h264_key_frame(from_hex("65 48")));
  EXPECT_FALSE(begins_h264_key_frame(from_hex("7c 85 48")));
  EXPECT_FALSE(begins_h264_key_frame(from_hex("78 00 02 65 48")));
  EXPECT_TRUE(begins_h264_key_frame(from_hex("78 00 02 65 48 00 02 67 42"))) << "the next one";
}

// "RTP Payload Format For AV1" section 4.4: Z Y W N.
TEST(KeyFrames, OfAv1) {
  EXPECT_TRUE(begins_av1_key_frame(from_hex("18 0a")));
  EXPECT_FALSE(begins_av1_key_frame(from_hex("10 0a")));
}

TEST(KeyFrames, OfWhatIsTooShort) {
  for (const auto begins :
       {begins_vp8_key_frame, begins_vp9_key_frame, begins_h264_key_frame, begins_av1_key_frame}) {
    EXPECT_FALSE(begins({}));
  }
  for (const auto* hex : {"10", "90", "90 80", "90 80 91", "90 80 91 11", "90 e0 91 11 01"}) {
    EXPECT_FALSE(begins_vp8_key_frame(from_hex(hex))) << hex;
  }
  for (const auto* hex : {"88", "88 91", "28", "a8 11"}) {
    EXPECT_FALSE(begins_vp9_key_frame(from_hex(hex))) << hex;
  }
  for (const auto* hex : {"65", "7c", "7c 85", "78", "78 00", "78 00 02", "78 00 00 65",
                          "78 00 01 65", "78 00 09 06 01"}) {
    EXPECT_FALSE(begins_h264_key_frame(from_hex(hex))) << hex;
  }
}

}  // namespace
}  // namespace sluice::interop::sfu
