"""The suite, run by the codecs of the media family."""

from lithify.codecs.media.audio import Audio
from lithify.codecs.media.gif import Gif
from lithify.codecs.media.jpeg import Jpeg
from lithify.codecs.media.pixels import Pixels
from lithify.codecs.media.png import PngCodec
from lithify.codecs.media.stills.codec import StillImage
from lithify.codecs.media.video import MovingPictures
from tests.suites.codec_suite import CodecSuite


class TestJpeg(CodecSuite):
    codec = Jpeg


class TestAudio(CodecSuite):
    codec = Audio


class TestPixels(CodecSuite):
    codec = Pixels


class TestPng(CodecSuite):
    codec = PngCodec


class TestGif(CodecSuite):
    codec = Gif


class TestStillImage(CodecSuite):
    codec = StillImage


class TestMovingPictures(CodecSuite):
    codec = MovingPictures
